"""The suite is run against servers broken on purpose and has to blame the right clause.

`mutant` (what one is, and which there are), `patching` (what they break servers with), `server` (the suite
starts one instead of the sound server), `plugin` (the pytest side), `trials` (many, side by side), `table`
(what came out).
"""
