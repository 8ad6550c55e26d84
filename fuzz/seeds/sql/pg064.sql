SELECT a FROM public.t
