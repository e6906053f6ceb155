module example/web

go 1.24

require ipfscompute v0.0.0

replace ipfscompute => ../../../../guest/go
