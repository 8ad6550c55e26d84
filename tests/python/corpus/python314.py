try: pass
except A, B: pass
except C.D, e[0],: pass
try: pass
except* A, B: pass
t"hello {name} {a + b !r:>{w}} {x = } {{}}" t'{y}' rt"\d"
t'''{
  z }'''
T""
f"\N{BULLET} {t'{a}'}" "\N{BULLET}"
