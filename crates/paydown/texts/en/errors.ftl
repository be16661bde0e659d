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
amount-nothing-left = Nothing is left to pay on { $number }
amount-paid-meanwhile = { $number } was paid in full a moment ago. Nothing is left to pay

# -- signing in
email-empty = Enter your work e-mail
email-not-an-address = Enter an e-mail address like name@company.com
code-empty = Enter the code from the e-mail
code-wrong = That code is not the one we sent. { $tries ->
    [one] { $tries } try left.
   *[other] { $tries } tries left.
}
code-ended = That code has ended.
code-too-many = Too many tries with this code. Your invoice links still work.
companies-none-chosen = Choose a company

# -- check and pay
receipt-email-empty = Enter the e-mail address for the receipt
reference-has-card-number = Your reference must not hold a card number. The card is typed on the card page
reference-too-long = Your reference must have no more than 60 characters
processor-silent = The card page did not answer. Try again in a minute
fee-changed = The fee is now { $fee }, it was { $before }. Check what you will be charged, then go on
form-damaged = What was sent did not arrive whole. Check this page, then go on
already-started = You already started a payment of { $amount }. Continue it, or cancel it and start again

# -- whole pages
nothing-was-taken = Nothing was taken.
check-the-invoice = Check the invoice
error-not-found = We cannot find that page
error-not-found-do = Check the address, or sign in to see your invoices.
error-form-not-ours = This page was open too long
error-form-not-ours-do = Go back, load the page again, and send it once more.
error-wrong-method = This address does something else
error-wrong-method-do = Go back and use the buttons on the page.
error-too-large = That is too much to send at once
error-too-large-do = Send less than { $limit }.
error-wrong-type = We cannot read what was sent
error-wrong-type-do = Go back and use the form on the page.
error-too-many = Too many tries in a short time
error-too-many-do = Try again at { $at }.
error-too-many-do-on = Try again on { $on } at { $at }.
error-ours = Something went wrong at our end
error-ours-check = <b>If you were paying, do not pay again until you have checked { $number }.</b>
error-ours-check-any = <b>If you were paying, do not pay again until you have checked the invoice.</b>
error-ours-reference = Reference { $reference }. Quote it when you write to us.
error-unavailable = Payments are not available right now
error-unavailable-do = You can still see invoices and receipts.
error-unavailable-later = Try again in a few minutes.
error-unavailable-until = Payments are back at about { $at }.
