@a.b(c)[0]
@(x := d)
class A(B, *c, k=1, **d): "doc"; x: int = 1; (y): str; z.w: t = yield_
async def f(a, b: int = 1, /, c=2, *, d, e=3, **kw) -> "r":
    async with a as b, c() as (d, [e]), f: pass
    async for x, *y in z, *w: await x ** -y
    else: return *a, b
    return [i async for i in j if k if l for m in n]
with (a as b, c as d,): pass
with (a, b): pass
with (a, b) as c: pass
with (a).b as c, (d): pass
with (yield): pass
with (x := y): pass
with (a for a in b): pass
with (): pass
with (a): pass
with (*a, b): pass
with (a if b else c) as d: pass
with a as b.c, d as e[f], g as (h): pass
try: pass
except: pass
try:
    pass
except (A, B) as e: raise X from y
except C: raise
else: pass
finally: pass
try: pass
except* A: pass
except* (B, C) as d: pass
a = b, *c = d = yield e
a += yield; b @= c, d; e **= 1; f //= 2; g >>= 3; h <<= 4; i &= j; k |= l; m ^= n; o %= p; q -= r; s *= t; u /= v
del a, (b, [c.d]), e[f],
del (g)
global a, b; nonlocal_ = 1
assert a, b
for (x) in y, z: break
else: continue
for x[0], (y.z, *w) in v: pass
while (n := f()) and not g: pass
if a: pass
elif b: pass
elif c: pass
else: pass
import a.b.c as d, e, f . g
from . import a
from .... import b as c
from ...x.y import (d, e as f,)
from z import *
lambda: 0, lambda *a, b=1, **c: a, lambda a, /, b: (yield)
x = *a, b
return_ = -a ** -b, not a == b, a if b else c if d else e, a or b and c or d
a < b <= c is not d not in e is f in g != h == i > j >= k
x[a:b, c:, :d:e, ::f, ..., *g, h:=1]
x[*a]
x[a,]
f(a, *b, c=d, *e, **g, h=i)
f(a for a in b)
f(a := 1, (b := 2))
{**a, b: c}, {*a, b}, {a: b for c in d}, {a for b in c}, {}, {x := 1}
[*a, b], (*a,), (), [a for b, in c for d in e if f], (a,)
