"""The cases, a file per clause or family. They know nothing of the server but its address and its accounts."""
