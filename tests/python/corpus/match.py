match x:
    case 0 | -1 | 1.5 | -2j | 3 + 4j | -5 - 6j: pass
    case "a" "b" | b"c" | None | True | False: pass
    case a.b.c: pass
    case _: pass
    case name if name := 1: pass
    case (y): pass
    case (1 | 2) as z: pass
    case [a, *rest, b] | (c, *_) | [] | () | (d,): pass
    case {"k": v, -1: w, a.b: None, **rest}: pass
    case {}: pass
    case C() | C(1, x) | a.C(x=1, y=D(2),) : pass
    case 1, *others: pass
    case *only,: pass
match (a): 
    case b: pass
match [a][0], *c:
    case [d]: pass
match -a:
    case _:
        match = case = _ = 1
        match(a, b)
        match[a] = match * 2 - match
        match.x: int
        match in y
        match -a
        match not in z
        match, case = 1, 2
        case(x)
match not a:
    case _: pass
match f"{a}:":
    case _: pass
match {**a}:
    case _: pass
match lambda: 1:
    case _: pass
match(
    a, b
):
    case _: pass
print(match, case)
match
match (f"{x:{y}}", z): # an f-string where `match (` could be a call
    case _: pass
match [f"a"]:
    case _: pass
match -f'{x}':
    case _: pass
match not x:
    case _: pass
match *f"a", b:
    case _: pass
match(f"{x}")
match (f"{x:y}").z
match[f"{x}"]: int = 3
match *f"a"
match not in x
