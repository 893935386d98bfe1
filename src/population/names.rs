//! Names, streets and places to make people of. Made up or common; nobody in particular.

/// Given names of women, with a short form where one is usual.
#[rustfmt::skip]
pub(super) const FEMALE: [(&str, &str); 64] = [
    ("Margaret", "Peggy"), ("Elizabeth", "Liz"), ("Katherine", "Kate"), ("Patricia", "Pat"),
    ("Rebecca", "Becky"), ("Deborah", "Debbie"), ("Susan", "Sue"), ("Dorothy", "Dot"),
    ("Barbara", "Barb"), ("Jennifer", "Jenny"), ("Christina", "Tina"), ("Victoria", "Vicky"),
    ("Theresa", "Terry"), ("Pamela", "Pam"), ("Jacqueline", "Jackie"), ("Abigail", "Abby"),
    ("Eleanor", "Ellie"), ("Josephine", "Josie"), ("Samantha", "Sam"), ("Alexandra", "Alex"),
    ("Frances", "Fran"), ("Virginia", "Ginny"), ("Marjorie", "Marge"), ("Gwendolyn", "Gwen"),
    ("Constance", "Connie"), ("Cynthia", "Cindy"), ("Judith", "Judy"), ("Roberta", "Bobbie"),
    ("Lucille", "Lucy"), ("Penelope", "Penny"), ("Marisol", ""), ("Ximena", ""),
    ("Soledad", ""), ("Inés", ""), ("Lucía", ""), ("Yolanda", ""),
    ("Thérèse", ""), ("Zoë", ""), ("Siobhan", ""), ("Ingrid", ""),
    ("Astrid", ""), ("Priya", ""), ("Ananya", ""), ("Lakshmi", ""),
    ("Mei", ""), ("Hui", ""), ("Yuki", ""), ("Noor", ""),
    ("Amina", ""), ("Fatima", ""), ("Leila", ""), ("Chiamaka", ""),
    ("Adaeze", ""), ("Imani", ""), ("Keisha", ""), ("Latoya", ""),
    ("Oksana", ""), ("Halina", ""), ("Ewa", ""), ("Rosalind", ""),
    ("Beatrix", ""), ("Opal", ""), ("Hazel", ""), ("Willa", ""),
];

/// Given names of men, with a short form where one is usual.
#[rustfmt::skip]
pub(super) const MALE: [(&str, &str); 64] = [
    ("William", "Bill"), ("Robert", "Bob"), ("Richard", "Rick"), ("James", "Jim"),
    ("Michael", "Mike"), ("Thomas", "Tom"), ("Charles", "Chuck"), ("Edward", "Ted"),
    ("Anthony", "Tony"), ("Joseph", "Joe"), ("Daniel", "Dan"), ("Matthew", "Matt"),
    ("Andrew", "Drew"), ("Kenneth", "Ken"), ("Lawrence", "Larry"), ("Gregory", "Greg"),
    ("Raymond", "Ray"), ("Benjamin", "Ben"), ("Nathaniel", "Nate"), ("Theodore", "Theo"),
    ("Frederick", "Fred"), ("Leonard", "Len"), ("Eugene", "Gene"), ("Vincent", "Vince"),
    ("Walter", "Walt"), ("Timothy", "Tim"), ("Stephen", "Steve"), ("Christopher", "Chris"),
    ("Alexander", "Al"), ("Samuel", "Sammy"), ("José", "Pepe"), ("Andrés", ""),
    ("Joaquín", ""), ("Esteban", ""), ("Ramón", ""), ("Efraín", ""),
    ("René", ""), ("Étienne", ""), ("Björn", ""), ("Søren", ""),
    ("Magnus", ""), ("Arjun", ""), ("Vikram", ""), ("Sanjay", ""),
    ("Wei", ""), ("Jun", ""), ("Kenji", ""), ("Omar", ""),
    ("Tariq", ""), ("Yusuf", ""), ("Chidi", ""), ("Emeka", ""),
    ("Kwame", ""), ("Jamal", ""), ("Darnell", ""), ("Dmitri", ""),
    ("Zbigniew", ""), ("Piotr", ""), ("Cormac", ""), ("Declan", ""),
    ("Silas", ""), ("Ezra", ""), ("Otis", ""), ("Wendell", ""),
];

/// Family names.
#[rustfmt::skip]
pub(super) const FAMILY: [&str; 156] = [
    "Abernathy", "Achterberg", "Adeyemi", "Aldridge", "Almeida", "Amundsen", "Anaya", "Appleby",
    "Arakawa", "Arsenault", "Ashworth", "Babineaux", "Bancroft", "Barlowe", "Bautista",
    "Beauchamp", "Belinsky", "Benavides", "Bergstrom", "Bhandari", "Blackwood", "Boateng",
    "Bohannon", "Brannigan", "Bridgewater", "Brzezicki", "Buchanan", "Burkhalter", "Cabrera",
    "Calloway", "Canfield", "Carrasco", "Castellanos", "Chakraborty", "Cheng", "Cisneros",
    "Claiborne", "Colquitt", "Copperfield", "Cranston", "Dalgaard", "Danforth", "Delacroix",
    "Desrosiers", "Dinwiddie", "Dombrowski", "Donnelly", "Drummond", "Dubois", "Eberhardt",
    "Echeverría", "Eklund", "Ellsworth", "Escobedo", "Fairweather", "Falkner", "Farrington",
    "Featherstone", "Fitzgerald", "Fontaine", "Fujimoto", "Gallagher", "Garrido", "Gilchrist",
    "Goldfarb", "Gonçalves", "Grantham", "Greenhalgh", "Grünwald", "Gutiérrez", "Hadley",
    "Halvorsen", "Hargrove", "Hathaway", "Hawthorne", "Hendricks", "Hightower", "Holloway",
    "Huang", "Ibarra", "Ivanova", "Jankowski", "Jefferies", "Johansson", "Kamau", "Kavanagh",
    "Kellerman", "Kimura", "Kowalczyk", "Krishnan", "Lachance", "Lattimore", "Leblanc",
    "Lindqvist", "Llewellyn", "Lockhart", "Macallister", "Maldonado", "Marchetti", "Mbeki",
    "McAllen", "McKinnon", "Meriwether", "Mishra", "Montague", "Moreau", "Muñoz", "Nakagawa",
    "Nasser", "Newcombe", "Nguyen", "Nowak", "Núñez", "O'Bannon", "O'Rourke", "Oduya", "Okafor",
    "Oyelaran", "Pappas", "Pemberton", "Petrovic", "Pfeiffer", "Prendergast", "Quintanilla",
    "Rahimi", "Ramaswamy", "Ravenscroft", "Reinholt", "Rossi", "Sandoval", "Santangelo",
    "Sepúlveda", "Shimizu", "Silverstein", "Skarsgård", "Stallworth", "Sundaram", "Szymański",
    "Takahashi", "Tanaka", "Thackeray", "Thibodeaux", "Tremblay", "Underhill", "Valenzuela",
    "Vandermeer", "Vasquez", "Villanueva", "Wadsworth", "Weatherby", "Whitcombe", "Winterbourne",
    "Wojciechowski", "Yamamoto", "Yarbrough", "Zimmermann",
];

/// Streets.
#[rustfmt::skip]
pub(super) const STREETS: [&str; 32] = [
    "Alder Street", "Birchwood Avenue", "Canal Road", "Cedar Hill Drive", "Chestnut Street",
    "Clover Lane", "Copper Kettle Road", "Dogwood Court", "Eastgate Avenue", "Fern Hollow Road",
    "Foundry Street", "Granite Avenue", "Harvest Moon Drive", "Heron Way", "Ironwood Drive",
    "Juniper Street", "Kestrel Court", "Lantern Lane", "Larkspur Avenue", "Maple Ridge Road",
    "Millrace Street", "Mulberry Lane", "Old Quarry Road", "Orchard Street", "Pinecrest Drive",
    "Quail Run", "Ridgeline Avenue", "Sandpiper Street", "Sycamore Street", "Tannery Road",
    "Walnut Grove Avenue", "Willow Bend Drive",
];

/// Made-up cities of one made-up region, with their postcode.
#[rustfmt::skip]
pub(super) const CITIES: [(&str, &str); 16] = [
    ("Ashbrook", "43901"), ("Bellhaven", "43902"), ("Cobbler's Run", "43903"),
    ("Dunmere", "43905"), ("Eastfall", "43906"), ("Fox Hollow", "43907"),
    ("Glenmoor", "43908"), ("Harrow Falls", "43909"), ("Ivydale", "43912"),
    ("Kingsford Mills", "43913"), ("Larchmont Springs", "43914"), ("Marlow", "43915"),
    ("North Tamarack", "43916"), ("Pell River", "43917"), ("Stonebridge", "43920"),
    ("Wexley", "43921"),
];

/// The state they are in.
pub(super) const STATE: &str = "OH";
