@dec
def f(a, b=1, /, *c: int, d=2, **e) -> int:
    """doc"""
    return a.b(c, *d, k=1, **e)[1:2, ...]
x = y = f"a{x!r:>{w}} b{{c}} {y=}" "zz"
if x: pass
elif y and z or not w in q is not r < 3: z: int = 5
else:
    for a, *b in c: del a[0]
match x:
    case [1, *_] | {"a": b, **r} if x: pass
    case A(b, c=d) as e: pass
try: pass
except (A, B) as e: raise X from y
finally: print(1 if 2 else lambda x: 3)
with (a as b, c): pass
with (a), b: pass
