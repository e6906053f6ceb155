module ipfscompute

go 1.24
