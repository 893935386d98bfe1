//! Clinical concepts with the codes and words that charts use for them.

/// A diagnosis: SNOMED CT and ICD-10-CM with their displays, and what people type.
pub(crate) struct Problem {
    pub(crate) snomed: (&'static str, &'static str),
    pub(crate) icd: (&'static str, &'static str),
    pub(crate) texts: &'static [&'static str],
}

const fn problem(
    snomed: (&'static str, &'static str),
    icd: (&'static str, &'static str),
    texts: &'static [&'static str],
) -> Problem {
    Problem { snomed, icd, texts }
}

pub(crate) const CHRONIC: [Problem; 22] = [
    problem(
        ("59621000", "Essential hypertension"),
        ("I10", "Essential (primary) hypertension"),
        &["Essential hypertension", "Hypertension, essential", "Hypertension"],
    ),
    problem(
        ("44054006", "Diabetes mellitus type 2"),
        ("E11.9", "Type 2 diabetes mellitus without complications"),
        &["Type 2 diabetes", "Diabetes mellitus, type 2", "Type II diabetes mellitus", "T2DM"],
    ),
    problem(
        ("46635009", "Diabetes mellitus type 1"),
        ("E10.9", "Type 1 diabetes mellitus without complications"),
        &["Type 1 diabetes", "Diabetes mellitus, type 1"],
    ),
    problem(
        ("433144002", "Chronic kidney disease stage 3"),
        ("N18.30", "Chronic kidney disease, stage 3 unspecified"),
        &["CKD stage 3", "Chronic kidney disease, stage 3", "Stage 3 chronic kidney disease"],
    ),
    problem(
        ("431857002", "Chronic kidney disease stage 4"),
        ("N18.4", "Chronic kidney disease, stage 4 (severe)"),
        &["CKD stage 4", "Chronic kidney disease, stage 4"],
    ),
    problem(
        ("13645005", "Chronic obstructive lung disease"),
        ("J44.9", "Chronic obstructive pulmonary disease, unspecified"),
        &["COPD", "Chronic obstructive pulmonary disease"],
    ),
    problem(
        ("195967001", "Asthma"),
        ("J45.909", "Unspecified asthma, uncomplicated"),
        &["Asthma", "Asthma (disorder)"],
    ),
    problem(
        ("84114007", "Heart failure"),
        ("I50.9", "Heart failure, unspecified"),
        &["Heart failure", "CHF", "Congestive heart failure"],
    ),
    problem(
        ("55822004", "Hyperlipidemia"),
        ("E78.5", "Hyperlipidemia, unspecified"),
        &["Hyperlipidemia", "Hyperlipidaemia"],
    ),
    problem(
        ("414916001", "Obesity"),
        ("E66.9", "Obesity, unspecified"),
        &["Obesity", "Obesity (disorder)"],
    ),
    problem(
        ("49436004", "Atrial fibrillation"),
        ("I48.91", "Unspecified atrial fibrillation"),
        &["Atrial fibrillation", "AFib", "A-fib"],
    ),
    problem(
        ("370143000", "Major depressive disorder"),
        ("F32.9", "Major depressive disorder, single episode, unspecified"),
        &["Major depression", "Major depressive disorder"],
    ),
    problem(
        ("197480006", "Anxiety disorder"),
        ("F41.9", "Anxiety disorder, unspecified"),
        &["Anxiety disorder", "Anxiety"],
    ),
    problem(
        ("235595009", "Gastroesophageal reflux disease"),
        ("K21.9", "Gastro-esophageal reflux disease without esophagitis"),
        &["GERD", "Gastroesophageal reflux disease", "Acid reflux disease"],
    ),
    problem(
        ("40930008", "Hypothyroidism"),
        ("E03.9", "Hypothyroidism, unspecified"),
        &["Hypothyroidism", "Hypothyroidism (disorder)"],
    ),
    problem(
        ("64859006", "Osteoporosis"),
        ("M81.0", "Age-related osteoporosis without current pathological fracture"),
        &["Osteoporosis"],
    ),
    problem(
        ("53741008", "Coronary arteriosclerosis"),
        (
            "I25.10",
            "Atherosclerotic heart disease of native coronary artery without angina pectoris",
        ),
        &["Coronary artery disease", "CAD", "Coronary heart disease"],
    ),
    problem(
        ("733423003", "Food insecurity"),
        ("Z59.41", "Food insecurity"),
        &["Food insecurity", "Food Insecurity"],
    ),
    problem(
        ("32911000", "Homeless"),
        ("Z59.00", "Homelessness unspecified"),
        &["Homelessness", "Homeless"],
    ),
    problem(
        ("193462001", "Insomnia"),
        ("G47.00", "Insomnia, unspecified"),
        &["Insomnia", "Insomnia disorder"],
    ),
    problem(("271737000", "Anemia"), ("D64.9", "Anemia, unspecified"), &["Anemia", "Anaemia"]),
    problem(
        ("34000006", "Crohn's disease"),
        ("K50.90", "Crohn's disease, unspecified, without complications"),
        &["Crohn's disease", "Crohn disease"],
    ),
];

/// What comes, goes, and comes again.
pub(crate) const ACUTE: [Problem; 4] = [
    problem(
        ("10509002", "Acute bronchitis"),
        ("J20.9", "Acute bronchitis, unspecified"),
        &["Acute bronchitis", "Bronchitis, acute"],
    ),
    problem(
        ("68566005", "Urinary tract infectious disease"),
        ("N39.0", "Urinary tract infection, site not specified"),
        &["Urinary tract infection", "UTI"],
    ),
    problem(
        ("195662009", "Acute viral pharyngitis"),
        ("J02.8", "Acute pharyngitis due to other specified organisms"),
        &["Acute viral pharyngitis", "Viral pharyngitis, acute"],
    ),
    problem(
        ("15777000", "Prediabetes"),
        ("R73.03", "Prediabetes"),
        &["Prediabetes", "Pre-diabetes"],
    ),
];

/// A goal: words for it with `{}` for the number, the measure and its target.
pub(crate) struct Aim {
    pub(crate) texts: &'static [&'static str],
    pub(crate) snomed: Option<(&'static str, &'static str)>,
    pub(crate) measure: Option<(&'static str, &'static str)>,
    /// Numbers of which each makes another goal; empty where the words alone say it.
    pub(crate) numbers: &'static [f64],
    /// UCUM unit, and another with the factor from this one.
    pub(crate) unit: (&'static str, Option<(&'static str, f64)>),
}

const fn aim(
    texts: &'static [&'static str],
    measure: Option<(&'static str, &'static str)>,
    numbers: &'static [f64],
    unit: (&'static str, Option<(&'static str, f64)>),
) -> Aim {
    Aim { texts, snomed: None, measure, numbers, unit }
}

const fn coded(texts: &'static [&'static str], code: &'static str, display: &'static str) -> Aim {
    Aim { texts, snomed: Some((code, display)), measure: None, numbers: &[], unit: ("1", None) }
}

pub(crate) const AIMS: [Aim; 16] = [
    aim(
        &[
            "HbA1c < {}%",
            "Hemoglobin A1c below {} %",
            "A1c less than {} percent",
            "HbA1c under {}%",
        ],
        Some(("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood")),
        &[6.5, 7.0, 7.5, 8.0],
        ("%", None),
    ),
    aim(
        &["LDL cholesterol below {} mg/dL", "LDL < {} mg/dl", "LDL cholesterol less than {} mg/dL"],
        Some(("13457-7", "Cholesterol in LDL [Mass/volume] in Serum or Plasma by calculation")),
        &[70.0, 100.0, 130.0],
        ("mg/dL", Some(("mmol/L", 0.02586))),
    ),
    aim(
        &["Systolic blood pressure below {} mmHg", "Systolic BP < {} mm[Hg]"],
        Some(("8480-6", "Systolic blood pressure")),
        &[120.0, 130.0, 140.0],
        ("mm[Hg]", None),
    ),
    aim(
        &["Reach target weight", "Target weight reached", "Reach a target weight"],
        Some(("29463-7", "Body weight")),
        &[70.0, 80.0, 90.0],
        ("kg", Some(("[lb_av]", 2.204_622_6))),
    ),
    aim(
        &["Lose {} kg", "Lose {} kilograms", "Weight loss of {} kg"],
        None,
        &[5.0, 10.0, 15.0],
        ("kg", None),
    ),
    aim(
        &[
            "Walk {} minutes daily",
            "Walk {} min per day",
            "Walk {} minutes every day",
            "Walking {} minutes a day",
        ],
        None,
        &[15.0, 30.0, 60.0],
        ("min", None),
    ),
    aim(
        &["Exercise {} times per week", "Exercise {} times a week", "Exercise {}x/week"],
        None,
        &[2.0, 3.0, 5.0],
        ("1", None),
    ),
    aim(
        &["Drink {} glasses of water daily", "Drink {} glasses of water per day"],
        None,
        &[6.0, 8.0],
        ("1", None),
    ),
    coded(&["Food security", "Food secure"], "1078229009", "Food security"),
    aim(&["Stop smoking", "Quit smoking", "Smoking cessation"], None, &[], ("1", None)),
    aim(
        &[
            "Take medications as prescribed",
            "Takes medication as prescribed",
            "Take all medications as prescribed",
        ],
        None,
        &[],
        ("1", None),
    ),
    aim(
        &["Improve diabetes self-management", "Improved self management of diabetes"],
        None,
        &[],
        ("1", None),
    ),
    aim(
        &["Reduce salt intake", "Decrease salt intake", "Reduced intake of salt"],
        None,
        &[],
        ("1", None),
    ),
    aim(&["Obtain stable housing", "Stable housing obtained"], None, &[], ("1", None)),
    aim(
        &["No falls in the next 6 months", "No falls in next six months", "No falls for 6 months"],
        None,
        &[],
        ("1", None),
    ),
    aim(
        &["Attend all cardiology appointments", "Attends all cardiology appointments"],
        None,
        &[],
        ("1", None),
    ),
];

/// What is ordered: a code and words.
pub(crate) struct Service {
    pub(crate) system: &'static str,
    pub(crate) code: &'static str,
    pub(crate) display: &'static str,
    pub(crate) texts: &'static [&'static str],
    /// It is done on the left or the right.
    pub(crate) sided: bool,
    /// LOINC, or a local code that some sites send instead.
    pub(crate) local: Option<&'static str>,
}

pub(crate) const LOINC: &str = "http://loinc.org";
pub(crate) const SNOMED: &str = "http://snomed.info/sct";
pub(crate) const ICD: &str = "http://hl7.org/fhir/sid/icd-10-cm";
pub(crate) const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";

const fn service(
    system: &'static str,
    code: &'static str,
    display: &'static str,
    texts: &'static [&'static str],
    sided: bool,
    local: Option<&'static str>,
) -> Service {
    Service { system, code, display, texts, sided, local }
}

pub(crate) const SERVICES: [Service; 14] = [
    service(
        LOINC,
        "4548-4",
        "Hemoglobin A1c/Hemoglobin.total in Blood",
        &["Hemoglobin A1c", "HbA1c", "Hgb A1c"],
        false,
        Some("A1C"),
    ),
    service(
        LOINC,
        "24323-8",
        "Comprehensive metabolic 2000 panel - Serum or Plasma",
        &["Comprehensive metabolic panel", "CMP"],
        false,
        Some("CMP"),
    ),
    service(
        LOINC,
        "24331-1",
        "Lipid 1996 panel - Serum or Plasma",
        &["Lipid panel", "Lipid Panel"],
        false,
        Some("LIPID"),
    ),
    service(
        LOINC,
        "58410-2",
        "CBC panel - Blood by Automated count",
        &["Complete blood count", "CBC"],
        false,
        Some("CBC"),
    ),
    service(
        LOINC,
        "3016-3",
        "Thyrotropin [Units/volume] in Serum or Plasma",
        &["TSH", "Thyroid stimulating hormone"],
        false,
        Some("TSH"),
    ),
    service(
        LOINC,
        "9318-7",
        "Albumin/Creatinine [Mass Ratio] in Urine",
        &["Urine albumin/creatinine ratio", "Albumin creatinine ratio, urine"],
        false,
        None,
    ),
    service(
        SNOMED,
        "73761001",
        "Colonoscopy",
        &["Colonoscopy", "Colonoscopy (procedure)"],
        false,
        None,
    ),
    service(SNOMED, "71651007", "Mammography", &["Mammography", "Mammogram"], false, None),
    service(SNOMED, "241655003", "MRI of knee", &["MRI knee", "MRI of knee"], true, None),
    service(
        SNOMED,
        "103699006",
        "Patient referral to dietitian",
        &["Referral to dietitian", "Dietitian referral"],
        false,
        None,
    ),
    service(
        SNOMED,
        "103696004",
        "Patient referral to specialist",
        &["Referral to cardiology", "Cardiology referral"],
        false,
        None,
    ),
    service(
        SNOMED,
        "91251008",
        "Physical therapy procedure",
        &["Physical therapy", "Physical therapy evaluation and treatment"],
        true,
        None,
    ),
    service(
        SNOMED,
        "710925007",
        "Provision of food",
        &["Provision of food", "Food provision"],
        false,
        None,
    ),
    service(
        SNOMED,
        "409073007",
        "Education",
        &["Diabetes education", "Diabetic education"],
        false,
        None,
    ),
];

/// A drug: RxNorm with its display, words, strengths that are other drugs come as own rows.
pub(crate) struct Drug {
    pub(crate) code: &'static str,
    pub(crate) display: &'static str,
    pub(crate) texts: &'static [&'static str],
}

const fn drug(code: &'static str, display: &'static str, texts: &'static [&'static str]) -> Drug {
    Drug { code, display, texts }
}

pub(crate) const DRUGS: [Drug; 14] = [
    drug(
        "861007",
        "metformin hydrochloride 500 MG Oral Tablet",
        &["Metformin 500 mg tablet", "metformin HCl 500mg tab", "Metformin 500 MG Oral Tablet"],
    ),
    drug(
        "861010",
        "metformin hydrochloride 850 MG Oral Tablet",
        &["Metformin 850 mg tablet", "Metformin 850 MG Oral Tablet"],
    ),
    drug(
        "314076",
        "lisinopril 10 MG Oral Tablet",
        &["Lisinopril 10 mg tablet", "lisinopril 10mg tab", "Lisinopril 10 mg"],
    ),
    drug(
        "314077",
        "lisinopril 20 MG Oral Tablet",
        &["Lisinopril 20 mg tablet", "lisinopril 20mg tab", "Lisinopril 20 mg"],
    ),
    drug(
        "197361",
        "amlodipine 5 MG Oral Tablet",
        &["Amlodipine 5 mg tablet", "amlodipine besylate 5 mg tab", "Amlodipine 5 mg"],
    ),
    drug(
        "617310",
        "atorvastatin 20 MG Oral Tablet",
        &["Atorvastatin 20 mg tablet", "Atorvastatin calcium 20 mg tab", "Atorvastatin 20 mg"],
    ),
    drug(
        "617311",
        "atorvastatin 40 MG Oral Tablet",
        &["Atorvastatin 40 mg tablet", "Atorvastatin 40 mg"],
    ),
    drug(
        "310798",
        "hydrochlorothiazide 25 MG Oral Tablet",
        &["Hydrochlorothiazide 25 mg tablet", "HCTZ 25 mg tab"],
    ),
    drug(
        "855332",
        "warfarin sodium 5 MG Oral Tablet",
        &["Warfarin 5 mg tablet", "warfarin 5mg tab"],
    ),
    drug(
        "312941",
        "sertraline 50 MG Oral Tablet",
        &["Sertraline 50 mg tablet", "sertraline HCl 50 mg tab"],
    ),
    drug(
        "198211",
        "simvastatin 40 MG Oral Tablet",
        &["Simvastatin 40 mg tablet", "Simvastatin 40 mg"],
    ),
    drug(
        "310429",
        "furosemide 20 MG Oral Tablet",
        &["Furosemide 20 mg tablet", "furosemide 20mg tab"],
    ),
    drug(
        "313988",
        "furosemide 40 MG Oral Tablet",
        &["Furosemide 40 mg tablet", "furosemide 40mg tab"],
    ),
    drug(
        "308056",
        "alteplase 1 MG/ML Injectable Solution",
        &["Alteplase 1 mg/mL injection", "alteplase 1 MG/ML Injectable Solution"],
    ),
];
