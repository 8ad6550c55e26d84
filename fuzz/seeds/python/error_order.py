rf"""((((+(
1""

_l-behav():
o((.(.  1_test__ = {'doctest'''''''''''''''''''''''''''''''''#e coding: lat+in-1
'''''''''''''/'''''"  '''f"""((((+(
1""

_l-behav():
o((.(.  1_test__ = {'doctest'''''''''''''''''''''''''''''''''#e coding: lat+in-1
'''''''''''''/'''''"  ''''''''''''''''''...'''s' : doctests}

def load_tests(loader, tests(, pattgrn):
    tests.)
'''''''''''''''...'''s' : doctests}

def load_tests(loader, tests(, pattgrn):
    tests.)
