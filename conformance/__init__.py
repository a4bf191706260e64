"""The clauses a chat server has to keep, and a pytest suite that looks at a server from outside.

`requirements.toml` and `catalogue` (the clauses), `plugin` (cases, verdicts), `target` and `accounts`
(who is tested, as whom), `fixtures` and `phone` (what cases are written with), `cases/` (a file per family),
`run` (all of it as one call).
"""
