# Dates, lengths and currencies in words.

month-long-1 = January
month-long-2 = February
month-long-3 = March
month-long-4 = April
month-long-5 = May
month-long-6 = June
month-long-7 = July
month-long-8 = August
month-long-9 = September
month-long-10 = October
month-long-11 = November
month-long-12 = December

month-short-1 = Jan
month-short-2 = Feb
month-short-3 = Mar
month-short-4 = Apr
month-short-5 = May
month-short-6 = Jun
month-short-7 = Jul
month-short-8 = Aug
month-short-9 = Sep
month-short-10 = Oct
month-short-11 = Nov
month-short-12 = Dec

due-in = { $days ->
    [one] Due in { $days } day
   *[other] Due in { $days } days
}
due-today = Due today
overdue-by = { $days ->
    [one] Overdue by { $days } day
   *[other] Overdue by { $days } days
}

ago-moment = a moment ago
ago-minutes = { $count ->
    [one] { $count } minute ago
   *[other] { $count } minutes ago
}
ago-hours = { $count ->
    [one] { $count } hour ago
   *[other] { $count } hours ago
}
ago-days = { $count ->
    [one] { $count } day ago
   *[other] { $count } days ago
}
in-moment = in a moment
in-minutes = { $count ->
    [one] in { $count } minute
   *[other] in { $count } minutes
}
in-hours = { $count ->
    [one] in { $count } hour
   *[other] in { $count } hours
}
in-days = { $count ->
    [one] in { $count } day
   *[other] in { $count } days
}

zone-pacific = Pacific time
zone-mountain = Mountain time
zone-central = Central time
zone-eastern = Eastern time
zone-atlantic = Atlantic time
zone-alaska = Alaska time
zone-hawaii = Hawaii time
zone-london = London time
zone-dublin = Dublin time
zone-central-european = Central European time
zone-eastern-european = Eastern European time
zone-india = India time
zone-japan = Japan time
zone-singapore = Singapore time
zone-sydney = Sydney time
zone-new-zealand = New Zealand time
zone-utc = UTC

spoken-minus = minus { $amount }

currency-USD = { $count ->
    [one] US dollar
   *[other] US dollars
}
currency-EUR = { $count ->
    [one] euro
   *[other] euros
}
currency-GBP = { $count ->
    [one] British pound
   *[other] British pounds
}
currency-CAD = { $count ->
    [one] Canadian dollar
   *[other] Canadian dollars
}
currency-AUD = { $count ->
    [one] Australian dollar
   *[other] Australian dollars
}
currency-NZD = { $count ->
    [one] New Zealand dollar
   *[other] New Zealand dollars
}
currency-SGD = { $count ->
    [one] Singapore dollar
   *[other] Singapore dollars
}
currency-HKD = { $count ->
    [one] Hong Kong dollar
   *[other] Hong Kong dollars
}
currency-CHF = { $count ->
    [one] Swiss franc
   *[other] Swiss francs
}
currency-JPY = Japanese yen
currency-CNY = Chinese yuan
currency-INR = { $count ->
    [one] Indian rupee
   *[other] Indian rupees
}
currency-KRW = South Korean won
currency-BRL = { $count ->
    [one] Brazilian real
   *[other] Brazilian reais
}
currency-MXN = { $count ->
    [one] Mexican peso
   *[other] Mexican pesos
}
currency-SEK = { $count ->
    [one] Swedish krona
   *[other] Swedish kronor
}
currency-NOK = { $count ->
    [one] Norwegian krone
   *[other] Norwegian kroner
}
currency-DKK = { $count ->
    [one] Danish krone
   *[other] Danish kroner
}
currency-PLN = { $count ->
    [one] Polish zloty
   *[other] Polish zlotys
}
currency-CZK = { $count ->
    [one] Czech koruna
   *[other] Czech korunas
}
currency-ZAR = South African rand
currency-ILS = { $count ->
    [one] Israeli shekel
   *[other] Israeli shekels
}
currency-KWD = { $count ->
    [one] Kuwaiti dinar
   *[other] Kuwaiti dinars
}
currency-BHD = { $count ->
    [one] Bahraini dinar
   *[other] Bahraini dinars
}
currency-TND = { $count ->
    [one] Tunisian dinar
   *[other] Tunisian dinars
}
