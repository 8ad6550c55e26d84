if x:
	y = (1,

 2)	z = 3 \
 + 4

else:
        # c

  w
