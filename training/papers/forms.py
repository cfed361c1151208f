"""The forms of the three papers and their mandatory fields.

The model card has the headings of Mitchell and others 2019, "Model Cards for Model Reporting"; the transparency record has those of
the Algorithmic Transparency Recording Standard's template (version 3, GOV.UK); the annex covers the data of an impact assessment.
"""

from __future__ import annotations

from training.papers.paper import Field, Form, Section

DEEPER = "train with --report, on histories whose table pupils has sex, ethnicity or first language"

MODEL_CARD = Form(
    "model_card",
    "Model card",
    "Headings: Mitchell and others 2019, Model Cards for Model Reporting, arXiv:1810.03993",
    (
        Section(
            "details",
            "Model details",
            (
                Field("developed_by", "Organisation that trained the model", "organisation.name"),
                Field("date", "Date"),
                Field("version", "Version"),
                Field("type", "Type"),
                Field("algorithm", "Training algorithm, parameters, constraints and features"),
                Field("resources", "Further reading"),
                Field("licence", "Licence of the model", "use.licence"),
                Field("contact", "Where to send questions", "organisation.contact_email"),
            ),
        ),
        Section(
            "intended_use",
            "Intended use",
            (
                Field("primary", "Primary intended uses"),
                Field("users", "Primary intended users", "use.users"),
                Field("out_of_scope", "Out-of-scope uses"),
            ),
        ),
        Section(
            "factors",
            "Factors",
            (
                Field("relevant", "Relevant groups and circumstances"),
                Field("evaluated", "Groups evaluated", do=DEEPER),
            ),
        ),
        Section(
            "metrics",
            "Metrics",
            (
                Field("measures", "Performance measures"),
                Field("thresholds", "Thresholds"),
                Field("variation", "Approaches to uncertainty"),
            ),
        ),
        Section(
            "evaluation_data",
            "Evaluation data",
            (Field("datasets", "Data"), Field("motivation", "Why these"), Field("preprocessing", "Preparation")),
        ),
        Section(
            "training_data",
            "Training data",
            (
                Field("datasets", "Data"),
                Field("time", "Training and test days"),
                Field("preprocessing", "Preparation"),
            ),
        ),
        Section(
            "quantitative",
            "Quantitative analyses",
            (
                Field("candidates", "Candidates compared"),
                Field("leads", "Lead of the chosen model"),
                Field("capacity", "Performance at a team's capacity"),
                Field("calibration", "Calibration"),
                Field("groups", "Results by group", do=DEEPER),
                Field("pairs", "Results by pair of groups", do=DEEPER),
            ),
        ),
        Section(
            "ethics",
            "Ethical considerations",
            (
                Field("sensitive_data", "Sensitive data"),
                Field("human_life", "Effect on people's lives"),
                Field("mitigations", "Mitigations"),
                Field("risks", "Risks and harms", "risks"),
            ),
        ),
        Section(
            "caveats",
            "Caveats and recommendations",
            (Field("limits", "Limits"), Field("recommendations", "Recommendations")),
        ),
    ),
)

ATRS = Form(
    "atrs",
    "Algorithmic transparency record",
    "Fields: Algorithmic Transparency Recording Standard, template version 3 (GOV.UK)",
    (
        Section(
            "metadata",
            "Metadata",
            (
                Field("id", "Record"),
                Field("standard_version", "Version of the standard"),
                Field("date_completed", "Date completed"),
                Field("date_updated", "Date updated"),
                Field("date_archived", "Date archived"),
                Field("organisation_type", "Organisation type", "organisation.type"),
                Field("function", "Function", "organisation.function"),
                Field("phase", "Phase", "use.phase"),
                Field("region", "Region", "organisation.region"),
                Field("capability", "Capability"),
                Field("task", "Task"),
            ),
        ),
        Section(
            "tier_1",
            "Tier 1: summary",
            (
                Field("name", "Name"),
                Field("description", "Description"),
                Field("website", "Website", "organisation.website"),
                Field("contact_email", "Contact", "organisation.contact_email"),
            ),
        ),
        Section(
            "owner",
            "Tier 2.1: owner and responsibility",
            (
                Field("organisation", "Organisation or department", "organisation.name"),
                Field("team", "Team", "organisation.team"),
                Field("senior_responsible_owner", "Senior responsible owner", "organisation.senior_responsible_owner"),
                Field("third_party_involvement", "Third-party involvement", "third_party.involved"),
                Field("third_party", "Third party", "third_party.name"),
                Field("companies_house_number", "Companies House number", "third_party.companies_house_number"),
                Field("third_party_role", "Role of the third party", "third_party.role"),
                Field("procurement", "Procurement procedure", "third_party.procurement"),
                Field(
                    "third_party_data_access", "Terms of the third party's access to data", "third_party.data_access"
                ),
            ),
        ),
        Section(
            "rationale",
            "Tier 2.2: description and rationale",
            (
                Field("detailed_description", "Detailed description"),
                Field("scope", "Scope"),
                Field("benefit", "Benefit", "use.benefit"),
                Field("previous_process", "Previous process", "use.previous_process"),
                Field("alternatives", "Alternatives considered"),
            ),
        ),
        Section(
            "decisions",
            "Tier 2.3: deployment and decisions",
            (
                Field("integration", "Place in the wider process", "use.integration"),
                Field("human_review", "Human decisions and review", "use.human_review"),
                Field("frequency", "Frequency and scale of usage", "use.frequency_and_scale"),
                Field("training", "Required training", "use.training"),
                Field("appeals", "Appeals and review", "use.appeals"),
                Field("provided_information", "Information provided"),
            ),
        ),
        Section(
            "specification",
            "Tier 2.4: the tool",
            (
                Field("architecture", "System architecture"),
                Field("phase", "Phase", "use.phase"),
                Field("maintenance", "Maintenance", "use.maintenance"),
            ),
        ),
        Section(
            "model",
            "Tier 2.4: the model",
            (
                Field("name", "Model name"),
                Field("version", "Model version"),
                Field("task", "Model task"),
                Field("input", "Model input"),
                Field("output", "Model output"),
                Field("architecture", "Model architecture"),
                Field("performance", "Model performance"),
                Field("datasets", "Datasets"),
                Field("purposes", "Purposes of the datasets"),
            ),
        ),
        Section(
            "development_data",
            "Tier 2.4: development data",
            (
                Field("description", "Description"),
                Field("modality", "Modality"),
                Field("quantities", "Quantities"),
                Field("sensitive_attributes", "Sensitive attributes"),
                Field("completeness", "Completeness and representativeness"),
                Field("source_name", "Source", "data.source_name"),
                Field("source_url", "Source's address", "data.source_url"),
                Field("collection", "Collection", "data.collection"),
                Field("cleaning", "Cleaning"),
                Field("sharing_agreements", "Sharing agreements", "data.sharing_agreements"),
                Field("access_and_storage", "Access and storage", "data.access_and_storage"),
            ),
        ),
        Section(
            "operational_data",
            "Tier 2.4: operational data",
            (
                Field("sources", "Sources"),
                Field("sensitive_attributes", "Sensitive attributes"),
                Field("processing", "Processing methods"),
                Field("access_and_storage", "Access and storage", "data.access_and_storage"),
                Field("sharing_agreements", "Sharing agreements", "data.sharing_agreements"),
            ),
        ),
        Section(
            "impact",
            "Tier 2.5: risks, mitigations and impact assessments",
            (
                Field("assessments", "Impact assessments", "impact_assessments"),
                Field("risks", "Risks and mitigations", "risks"),
            ),
        ),
    ),
)

DPIA = Form(
    "dpia",
    "Data protection impact assessment: annex on the data used",
    "UK GDPR article 35(7)(a) and (b), article 5(1)(b), (c) and (e)",
    (
        Section(
            "purpose",
            "Purpose",
            (
                Field("purpose", "What the data is used for"),
                Field("not_for", "What it is not used for"),
                Field("lawful_basis", "Lawful basis", "data.lawful_basis"),
                Field("controller", "Controller", "organisation.name"),
                Field("data_protection_officer", "Data protection officer", "organisation.data_protection_officer"),
            ),
        ),
        Section(
            "people",
            "Whose data",
            (Field("children", "Children"), Field("special_categories", "Special category data")),
        ),
        Section(
            "tables", "Which data", (Field("given", "Tables"), Field("columns", "Columns and what each is used for"))
        ),
        Section("features", "Features by source", (Field("features", "Features"),)),
        Section(
            "minimisation",
            "Minimisation",
            (Field("not_used", "Columns present but not used"), Field("measures", "Measures")),
        ),
        Section("protected", "Protected characteristics", (Field("judging_only", "Used only for evaluation"),)),
        Section(
            "retention",
            "Retention",
            (
                Field("histories", "Histories", "data.retention_histories"),
                Field("scores", "Scores", "data.retention_scores"),
                Field("models", "Models and papers", "data.retention_models"),
            ),
        ),
        Section(
            "recipients",
            "Recipients",
            (
                Field("recipients", "Recipients", "data.recipients"),
                Field("sharing_agreements", "Sharing agreements", "data.sharing_agreements"),
                Field("access_and_storage", "Access and storage", "data.access_and_storage"),
            ),
        ),
        Section(
            "risks",
            "Risks",
            (
                Field("risks", "Risks and mitigations", "risks"),
                Field("assessments", "Impact assessments", "impact_assessments"),
            ),
        ),
    ),
)

FORMS = (MODEL_CARD, ATRS, DPIA)
