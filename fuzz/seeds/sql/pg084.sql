UPDATE t SET count = count + 1, "order" = 2
