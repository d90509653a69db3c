"""`minigrad train TASK`: small models trained on real data, from the command line.

`tasks` says what can be learned, `models` builds the network, `loop` trains it, `console` shows the
progress, `pictures` draws the result, `files` writes it, and `cli` puts them together.
"""
