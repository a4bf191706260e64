"""A reference server that is killed again and again under traffic, and whether anything of it got lost.

`rounds` goes through it; `traffic` talks, `blows` kill, `looking` asks the server afterwards.
What they saw is judged twice: `register` compares what the server says with what was said to it, and
`chronicle` has the ledger's own checks judge what every device was shown.
"""
