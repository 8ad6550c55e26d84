x = (1,
y = 2
z = 3
if a
    b
else:
    c
def f(:
  """a
b"""
  q
w = "abc
 1
v = 0777
d = f"{a" + f"}"
ok = 1
