//! Pairs that look like one person and are two, by what makes them hard.
//!
//! `given|family|birth|gender|number and street|zip|phone|email|ssn|suffix|birth place`.

pub(super) const APART: [(&str, &str, &str); 71] = [
    (
        "twins, same home and phone",
        "Ana|Diaz|2010-03-04|female|12 Elm St|02139|617-253-1234",
        "Eva|Diaz|2010-03-04|female|12 Elm St|02139|617-253-1234",
    ),
    (
        "twins with close names",
        "Jayden|Price|2012-07-09|male|4 Oak Ave|60601|312-253-1234",
        "Kayden|Price|2012-07-09|male|4 Oak Ave|60601|312-253-1234",
    ),
    (
        "twins one letter apart",
        "Marie|Stone|2001-01-17|female|4 Oak Ave|60601|312-253-1234",
        "Maris|Stone|2001-01-17|female|4 Oak Ave|60601|312-253-1234",
    ),
    (
        "twins with sequential SSNs",
        "Ella|Ruiz|2012-07-09|female|4 Oak Ave|60601|||212-34-5678",
        "Emma|Ruiz|2012-07-09|female|4 Oak Ave|60601|||212-34-5679",
    ),
    (
        "twins, birth order told",
        "Sam|Lane|2012-07-09|male|4 Oak Ave|60601|||||1",
        "Sam|Lane|2012-07-09|male|4 Oak Ave|60601|||||2",
    ),
    (
        "twin not yet named",
        "Baby Boy A|Shah|2024-05-06|male|4 Oak Ave|60601|312-253-1234",
        "Baby Boy B|Shah|2024-05-06|male|4 Oak Ave|60601|312-253-1234",
    ),
    (
        "newborn and named twin",
        "Baby Girl|Shah|2024-05-06|female|4 Oak Ave|60601|312-253-1234",
        "Mira|Shah|2024-05-06|female|4 Oak Ave|60601|312-253-1234",
    ),
    (
        "twins share an initial",
        "J|Wood|1999-11-12|male|4 Oak Ave|60601|312-253-1234",
        "Jacob|Wood|1999-11-12|male|4 Oak Ave|60601|312-253-1234",
    ),
    (
        "boy and girl of one stem",
        "Daniel|Cole|1999-11-12|male|4 Oak Ave|60601",
        "Danielle|Cole|1999-11-12|female|4 Oak Ave|60601",
    ),
    (
        "father and son, same name and home",
        "Robert|Hale|1960-05-12|male|9 Bay Rd|02139|617-253-1234",
        "Robert|Hale|1988-09-30|male|9 Bay Rd|02139|617-253-1234",
    ),
    (
        "father and son a digit apart",
        "Robert|Hale|1960-05-12|male|9 Bay Rd|02139|617-253-1234",
        "Robert|Hale|1990-05-12|male|9 Bay Rd|02139|617-253-1234",
    ),
    (
        "father and son, son's birth date missing",
        "Robert|Hale|1960-05-12|male|9 Bay Rd|02139|617-253-1234",
        "Robert|Hale||male|9 Bay Rd|02139|617-253-1234",
    ),
    (
        "Jr and Sr with one birth date",
        "Al|Ray|1960-05-12|male|9 Bay Rd|02139||||Jr",
        "Al|Ray|1960-05-12|male|9 Bay Rd|02139||||Sr",
    ),
    (
        "Jr and Sr with one SSN",
        "Al|Ray|1960-05-12|male|9 Bay Rd|02139|||212-34-5678|Jr",
        "Al|Ray|1960-05-12|male|9 Bay Rd|02139|||212-34-5678|Sr",
    ),
    (
        "II and III",
        "Al|Ray|1960-05-12|male|||||212-34-5678|II",
        "Al|Ray|1960-05-12|male|||||212-34-5678|III",
    ),
    (
        "son under his father's SSN",
        "Luis|Vega|1961-02-03|male|9 Bay Rd|02139|||212-34-5678",
        "Luis|Vega|1989-08-14|male|9 Bay Rd|02139|||212-34-5678",
    ),
    (
        "wife under her husband's SSN",
        "Luis|Vega|1961-02-03|male|9 Bay Rd|02139|617-253-1234||212-34-5678",
        "Rosa|Vega|1962-06-07|female|9 Bay Rd|02139|617-253-1234||212-34-5678",
    ),
    (
        "spouses sharing phone and e-mail",
        "Mark|Ames|1970-02-03|male|1 Fir Ct|60601|312-253-1234|ames@home.org",
        "Mary|Ames|1971-03-02|female|1 Fir Ct|60601|312-253-1234|ames@home.org",
    ),
    (
        "spouses born the same day",
        "Jan|Berg|1970-02-03|male|1 Fir Ct|60601|312-253-1234",
        "Jan|Berg|1970-02-03|female|1 Fir Ct|60601|312-253-1234",
    ),
    ("common name, same birth year", "John|Smith|1970-02-03|male", "John|Smith|1970-08-21|male"),
    (
        "common name and birth date, nothing else",
        "John|Smith|1970-02-03|male",
        "John|Smith|1970-02-03|male",
    ),
    (
        "common Spanish name and birth date",
        "Maria|Garcia|1970-02-03|female",
        "Maria|Garcia|1970-02-03|female",
    ),
    (
        "common name and birth date, other SSN",
        "John|Smith|1970-02-03|male|||||212-34-5678",
        "John|Smith|1970-02-03|male|||||315-78-1234",
    ),
    (
        "same everything, other SSN",
        "Ida|Quist|1970-02-03|female|1 Fir Ct|60601|312-253-1234||212-34-5678",
        "Ida|Quist|1970-02-03|female|1 Fir Ct|60601|312-253-1234||315-78-1234",
    ),
    ("rare name alone", "Zbyszko|Quistgaard", "Zbyszko|Quistgaard"),
    (
        "rare name and address, no birth date",
        "Zbyszko|Quistgaard|||1 Fir Ct|60601",
        "Zbyszko|Quistgaard|||1 Fir Ct|60601",
    ),
    (
        "placeholder birth date",
        "Ida|Quist|1900-01-01|female|1 Fir Ct|60601",
        "Ida|Quist|1900-01-01|female|1 Fir Ct|60601",
    ),
    (
        "placeholder name",
        "John|Doe|1970-02-03|male|1 Fir Ct|60601|312-253-1234",
        "John|Doe|1970-02-03|male|1 Fir Ct|60601|312-253-1234",
    ),
    (
        "placeholder SSN",
        "John|Smith|1970-02-03|male|||||999-99-9999",
        "John|Smith|1970-02-03|male|||||999-99-9999",
    ),
    (
        "placeholder phone",
        "John|Smith|1970-02-03|male|||555-555-5555",
        "John|Smith|1970-02-03|male|||555-555-5555",
    ),
    ("assigned first of January", "Ali|Hassan|1985-01-01|male", "Ali|Hassan|1985-01-01|male"),
    (
        "room mates with one first name",
        "Chris|Bell|1998-02-03|male|1 Fir Ct|60601|312-253-1234",
        "Chris|Ball|1998-11-23|male|1 Fir Ct|60601|312-253-1234",
    ),
    (
        "nursing home: one address and phone",
        "Ruth|Adams|1935-02-03|female|7 Care Ln|60601|312-253-1234",
        "Ruth|Allen|1938-02-13|female|7 Care Ln|60601|312-253-1234",
    ),
    (
        "siblings a year apart",
        "Ben|Katz|2010-02-03|male|1 Fir Ct|60601|312-253-1234",
        "Jon|Katz|2011-02-03|male|1 Fir Ct|60601|312-253-1234",
    ),
    (
        "same birth date and SSN, other name",
        "Ann|Lee|1970-02-03|female|||||212-34-5678",
        "Mei|Wong|1970-02-03|female|||||212-34-5678",
    ),
    (
        "cousins of one name, birth dates near",
        "Jose|Lopez|1970-02-03|male|1 Fir Ct|60601",
        "Jose|Lopez|1971-03-04|male|1 Fir Ct|60601",
    ),
    (
        "twins, one's name a form of the other's, middle initials differ",
        "Elizabeth R|Ruiz|2011-04-05|female|4 Oak Ave|60601|312-253-1234",
        "Lisa K|Ruiz|2011-04-05|female|4 Oak Ave|60601|312-253-1234",
    ),
    (
        "twins, one's name a form of the other's, sequential SSNs",
        "John|Ruiz|2011-04-05|male|4 Oak Ave|60601|312-253-1234||212-34-5678",
        "Juan|Ruiz|2011-04-05|male|4 Oak Ave|60601|312-253-1234||212-34-5679",
    ),
    (
        "father and son, one's family name in the other's given",
        "Thomas|James|1960-05-12|male|9 Bay Rd|02139|617-253-1234",
        "James|Hale|1988-09-30|male|9 Bay Rd|02139|617-253-1234",
    ),
    (
        "triplets, two girls",
        "Ana|Reyes|2015-08-09|female|3 Ash Ct|78701|512-253-1234",
        "Ava|Reyes|2015-08-09|female|3 Ash Ct|78701|512-253-1234",
    ),
    (
        "twins, names that sound alike",
        "Jon|Marsh|2009-02-11|male|3 Ash Ct|78701|512-253-1234",
        "Sean|Marsh|2009-02-11|male|3 Ash Ct|78701|512-253-1234",
    ),
    (
        "twins with one middle name",
        "Ella Rose|Marsh|2009-02-11|female|3 Ash Ct|78701",
        "Etta Rose|Marsh|2009-02-11|female|3 Ash Ct|78701",
    ),
    (
        "twins, one by an initial, sequential SSNs",
        "E|Ruiz|2012-07-09|female|4 Oak Ave|60601|||212-34-5678",
        "Emma|Ruiz|2012-07-09|female|4 Oak Ave|60601|||212-34-5679",
    ),
    (
        "twins under the mother's SSN",
        "Ella|Ruiz|2012-07-09|female|4 Oak Ave|60601|||212-34-5678",
        "Noah|Ruiz|2012-07-09|male|4 Oak Ave|60601|||212-34-5678",
    ),
    (
        "twins with two surnames",
        "Ella|Ruiz Vega|2012-07-09|female|4 Oak Ave|60601|312-253-1234",
        "Eva|Ruiz|2012-07-09|female|4 Oak Ave|60601|312-253-1234",
    ),
    (
        "mother and daughter of one name",
        "Rosa|Pena|1961-10-02|female|8 Lake Dr|33101|305-253-1234",
        "Rosa|Pena|1985-10-02|female|8 Lake Dr|33101|305-253-1234",
    ),
    (
        "mother and daughter, month and day swapped beside the year",
        "Rosa|Pena|1961-10-02|female|8 Lake Dr|33101|305-253-1234",
        "Rosa|Pena|1985-02-10|female|8 Lake Dr|33101|305-253-1234",
    ),
    (
        "mother and daughter with one e-mail",
        "Rosa|Pena|1961-10-02|female|8 Lake Dr|33101||pena@home.org",
        "Rosa|Pena|1985-04-17|female|8 Lake Dr|33101||pena@home.org",
    ),
    (
        "grandfather and grandson",
        "Otto|Lind|1931-01-20|male|8 Lake Dr|55401|612-253-1234",
        "Otto|Lind|1996-06-11|male|8 Lake Dr|55401|612-253-1234",
    ),
    (
        "grandfather and grandson, a century slip",
        "Otto|Lind|1913-01-20|male|8 Lake Dr|55401|612-253-1234",
        "Otto|Lind|2013-01-20|male|8 Lake Dr|55401|612-253-1234",
    ),
    (
        "father and son, suffix on one side only",
        "Otto|Lind|1961-01-20|male|8 Lake Dr|55401|612-253-1234|||Sr",
        "Otto|Lind|1988-06-11|male|8 Lake Dr|55401|612-253-1234",
    ),
    (
        "father and son, son by a nickname",
        "William|Hale|1960-05-12|male|9 Bay Rd|02139|617-253-1234",
        "Will|Hale|1990-05-21|male|9 Bay Rd|02139|617-253-1234",
    ),
    (
        "III and IV with one birth day",
        "Al|Ray|1960-05-12|male|9 Bay Rd|02139|617-253-1234|||III",
        "Al|Ray|1960-05-12|male|9 Bay Rd|02139|617-253-1234|||IV",
    ),
    (
        "brothers of one initial",
        "J|Katz|2010-02-03|male|1 Fir Ct|60601|312-253-1234",
        "Jon|Katz|2011-02-03|male|1 Fir Ct|60601|312-253-1234",
    ),
    (
        "brother and sister of one stem, a year apart",
        "Paul|Katz|2010-02-03|male|1 Fir Ct|60601|312-253-1234",
        "Paula|Katz|2011-02-03|female|1 Fir Ct|60601|312-253-1234",
    ),
    (
        "child named after a dead brother",
        "Ben|Katz|2010-02-03|male|1 Fir Ct|60601",
        "Ben|Katz|2012-07-19|male|1 Fir Ct|60601",
    ),
    (
        "cousins of one name and year in one house",
        "Jose|Lopez|1970-02-03|male|1 Fir Ct|60601",
        "Jose|Lopez|1970-11-24|male|1 Fir Ct|60601",
    ),
    (
        "spouses under one insurance SSN, born a day apart",
        "Luis|Vega|1961-02-03|male|9 Bay Rd|02139|||212-34-5678",
        "Luisa|Vega|1961-02-04|female|9 Bay Rd|02139|||212-34-5678",
    ),
    (
        "stranger with a stolen SSN",
        "Gary|Moss|1961-02-03|male|9 Bay Rd|02139|||212-34-5678",
        "Ivan|Petrov|1979-12-13|male|77 Sea Rd|90001|||212-34-5678",
    ),
    (
        "stolen SSN, same given name",
        "Gary|Moss|1961-02-03|male|9 Bay Rd|02139|||212-34-5678",
        "Gary|Stone|1979-12-13|male|77 Sea Rd|90001|||212-34-5678",
    ),
    (
        "namesakes born the same day in one city",
        "Maria|Garcia|1970-02-03|female|12 Elm St|",
        "Maria|Garcia|1970-02-03|female|99 Pine Ave|",
    ),
    (
        "namesakes, SSNs a digit apart, nothing else",
        "John|Smith|1970-02-03|male|||||212-34-5678",
        "John|Smith|1970-02-03|male|||||212-34-5671",
    ),
    (
        "common Vietnamese name and birth date",
        "Anh|Nguyen|1988-01-01|female",
        "Anh|Nguyen|1988-01-01|female",
    ),
    (
        "refugees of one family, first of January",
        "Ahmed|Ali|1990-01-01|male|1 Fir Ct|60601",
        "Mohamed|Ali|1990-01-01|male|1 Fir Ct|60601",
    ),
    (
        "room mates born the same day",
        "Chris|Bell|1998-02-03|male|1 Fir Ct|60601|312-253-1234",
        "Craig|Bell|1998-02-03|male|1 Fir Ct|60601|312-253-1234",
    ),
    (
        "shelter: one address, rare family name, one year",
        "Abel|Quistgaard|1980|male|7 Care Ln|60601|312-253-1234",
        "Adam|Quistgaard|1980|male|7 Care Ln|60601|312-253-1234",
    ),
    (
        "birth year only, one name and address",
        "Robert|Hale|1960|male|9 Bay Rd|02139|617-253-1234",
        "Robert|Hale|1960|male|9 Bay Rd|02139|617-253-1234",
    ),
    (
        "same phone and e-mail, no names",
        "||1970-02-03|male|||312-253-1234|ames@home.org",
        "||1970-02-03|male|||312-253-1234|ames@home.org",
    ),
    (
        "address and phone alone",
        "||||1 Fir Ct|60601|312-253-1234",
        "||||1 Fir Ct|60601|312-253-1234",
    ),
    (
        "given name written as family name on both",
        "James|Thomas|1970-02-03|male|1 Fir Ct|60601",
        "Thomas|James|1993-08-15|male|1 Fir Ct|60601",
    ),
    (
        "placeholder names with one birth date and home",
        "Unknown|Unknown|1970-02-03|male|1 Fir Ct|60601|312-253-1234",
        "Unknown|Unknown|1970-02-03|male|1 Fir Ct|60601|312-253-1234",
    ),
];
