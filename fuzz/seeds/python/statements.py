from __future__ import annotations
from ..a import (b as c, d,)
import os.path as p, sys
type X[T: int = str, *Ts = *tuple[int], **P = [int]] = list[T]
@d.e(1)
@(lambda f: f)
async def f[T](a, b: int = 1, /, c=2, *args: *Ts, d, e=3, **kw) -> None:
    async with a as b, c: pass
    async for x, *y in z: await x ** -y; yield; continue
    else: return [i async for i in j if k if l], {**a, 1: 2}, {*a, b}, (yield from q)
    global g; nonlocal h; del (a, [b.c]), d[1:2:3, ..., *e]; assert a, b
class C(B, metaclass=M, *c, **k):
    x: int; (y): str = "1"; z.w: t
    def m(self): return (n := 10), lambda *a, b=1, **c: a if b else c
try: pass
except A, B: raise
except* C as d: raise E from f
else: pass
finally: pass
while not a or b and c < d <= e != f is not g not in h: a @= b; c //= 1; x = y = *a, b = 1
else: break
with (open(a) as b, (yield)): pass
with (a, b) as c, d: pass
match a, *b:
    case -1 | 2 + 3j | "s" "t" | None | a.b: pass
    case [x, *_, (y)] if z: pass
    case {"k": v, **rest}: pass
    case C(1, x=D(), y=_) as w: pass
    case *a, b: pass
match = case = type = _ = 1
match[a] = match(b)
print(*a, **b, c=1) if 1if 2else 3 else 4
for(x)in(y):pass
