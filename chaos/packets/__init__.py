"""Faults of real packets, in network namespaces of our own. Needs root, or what of it the kernel asks for.

`network` joins two or three namespaces by a virtual cable, a router that translates addresses, or a wire in
user space, and is what faults pull at; `nftables` and `firewall` drop and refuse, `wire` and `impairment`
lose, delay, repeat, reorder and damage; `leftovers` finds what a killed run left behind. `capture`, `flows`
and `diag` are the evidence, `forge` and `witness` make and read single packets.

`carrier`, `catcher` and what they import run in processes of their own, which start fast because they know
nothing but the standard library.
"""
