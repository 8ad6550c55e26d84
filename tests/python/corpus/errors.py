kept = 1
x = = 2
kept = foo(1,
  b c,
  d
)
kept()
if a
    dropped
else:
    dropped
def kept(a):
    b = 1 +
    kept = 2
    for x in y
        dropped
    return kept
class Kept:
    def m(self:
        """dropped
x = 1
        """
    def kept(self): pass
    k = [1, 2
    kept = 3
kept = "abc
kept = '''fine'''
try:
    dropped
kept; 1 = 2; dropped
f(a=1, b)
f(x) = 1
print "hello"
kept = 0777
x = f"{a b}" + f"{}" + f"}"
kept = f"{a!z}"
kept = "\x4"; kept = b"é"
    unexpected = 1
    also = 2
kept
if a:
kept
if a:
        deep
    mismatch
    mismatch
kept
(a, b): int = 1
def f(a=1, b): pass
def f(*): pass
del f(); del x
with a as b(): pass
x = a if b
(kept
  for kept in kept)
x = 5 $ 6
x = )
x = (1]
match a:
    case 1 + 2: dropped
    case b: dropped
lambda x=1, y: 0
a, b += 1
(a for b in c for)
None = 1
async x
import a,
from a import b,
x.y = z?
@
kept = 1
else: stray
€ = 1
x = 1__0 + 0xg + 1e5a
kept = [
