SELECT /* a /* nested */ comment */ a FROM t;
