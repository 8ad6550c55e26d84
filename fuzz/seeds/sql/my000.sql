SELECT `a`, `order`, "text" FROM `t` WHERE `t`.`s` = "it's"
