CREATE INDEX "i" ON "a" ("n")
