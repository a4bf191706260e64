"""Access: holds connections, knows nothing of what messages mean.

`lines` (descriptors, bytes in and out, back pressure), `connection` (what is remembered of one), `presence`
(who is connected here), `window` (pushes that wait for PUSHED), `node` (the protocol's rules, the face
towards business), `http` (the same requests as short calls).
"""
