# -*- coding: utf-8 -*-
a = 'x' "y" rb'\d' b"\x00" if u"é" else '''multi
line\
''' """\N{BULLET}\u00e9\U0001F600\101"""
b = f"{a!r:>{w}.{p}} {{}} {x = !s:^10} {f'{y["k"]}'} {lambda_(1):%H:%M}" rf"\{a}" "z"
c = t"hello {name = } {x!a:{y}}" t'''{
    z  # why
}'''
d = 0x_ff + 0b1_0 + 0o17 + 1_000.5e-3j + .5 + 1.
ünïcode = ﬁ = 1
