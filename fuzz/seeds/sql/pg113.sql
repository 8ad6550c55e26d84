SET client_encoding TO utf8
