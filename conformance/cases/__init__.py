"""The cases, a file per clause or family. They know nothing of a server but its address and its accounts."""
