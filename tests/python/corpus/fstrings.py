f"{'a' if x else "b"} {d["key"]} {f"{f"{1}"}"}"
f"{x!r:>{width}.{precision}} {y:%H:%M} {z:} {{literal}} }}{{"
f"{x = } {x=!s} {x=:>5} {
    a  # why
    + b
}"
f'''{
x
:
>10}''' "plain" rf"\d{n}\{m}" f"" "" f"\x31\x41\
continued"
f"{(lambda a: a)(1)} {(y := 2)} {y:=5} {*a, b} {yield_} {a[1:2]} {a != b} {'}'}"
f"{x!a}" u"é" f"ünï{c}é"
f"{a:{b:{c}}}" F"{1}" fR"{2}\n" Rf'{3}'
print(f"{x}" f"{y}", *[f"{i}" for i in f"{z}"])
f"{'''
'''}" f"{
1}"
