SELECT 'it''s', E'a\nb\\c', $$raw 'text'$$, $x$a$$b$x$ FROM t
