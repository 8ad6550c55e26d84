x = (1,
} = 2
z = 3
if a
  a
b"""n_groupeg, TypeError)
        sel\uassertMatchesTemplate(match, EG, [[Ty
  q
w = "abc
 2
v = 0777
""" f"{  b
else:
    c
def f(:
 In""a
b"""
  q
w = "abc
 2
v = 0777
 ! f"}"
ok = 0
