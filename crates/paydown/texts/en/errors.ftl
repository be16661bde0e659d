# What went wrong, and what to do about it. Every text here names a way out.

# -- the amount field
amount-empty = Enter the amount to pay now
amount-not-a-number = Amount to pay now must be a number, like 500 or { $example }
amount-not-a-whole-number = Amount to pay now must be a number, like { $example }
amount-too-many-decimals = Amount to pay now must have no more than { $digits } digits after the decimal point
amount-no-decimals = Amount to pay now must be a whole number of { $currency }
amount-not-positive = Amount to pay now must be more than { $zero }
amount-under-minimum = Amount to pay now must be { $minimum } or more
amount-over-left = Amount to pay now must be { $left } or less, which is all that is left
amount-over-in-progress = Amount to pay now must be { $left } or less. { $pending } is already on its way
amount-crumb = { $amount } would leave { $leaves }. Pay { $all }, or { $most } or less
amount-crumb-all = { $amount } would leave { $leaves }. Pay { $all }
amount-under-card = A card payment must be { $minimum } or more
amount-over-card = A card payment can be at most { $maximum }. Pay less
amount-not-on-step = A card cannot take this amount to the last digit. Pay { $below } or { $above }
amount-unclear = We are not sure what { $typed } means. Enter { $grouped } or { $decimal }
amount-other-currency = This invoice is in { $currency }. Enter an amount in { $currency }
amount-percent = Enter a percentage between { $least }% and 100%
amount-changed = { $paid } was paid on this invoice a moment ago, so { $left } is left. Check your amount
amount-paid-meanwhile = { $number } was paid in full a moment ago. Nothing is left to pay
