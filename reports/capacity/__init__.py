"""From what was measured to what it takes: machines, memory, ports and bandwidth for N users.

`observed` (what one run shows of its costs), `costs` (what they are worth: from one run, or from the steps
of a sweep), `usl` (where throughput ends), `arithmetic` (expressions, computed here and in the page from the
same text), `model` (the questions and the lines of the answer), `section` (the part of a page).
"""
