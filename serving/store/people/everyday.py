"""Given names that are also everyday words or places: May, Will, Mark, Preston. Only of these may a person say that the child is not meant."""

WORDS = """
amber angel april art ash august autumn basil bay bill blessing bliss blue bob brook buck bud carol chance charity chase chip christian clay
cliff colt coral crystal daisy dale dawn dean destiny divine dot earl early eden ember faith fern flora forest frank gale gene ginger glen glory
grace grant guy harmony haven hazel heath heather heaven holly honest honey honour hope hunter iris ivory ivy jack jade jay jet jewel journey
joy june justice lance lane lark laurel lavender liberty lily lotus love lucky lyric major maple mark marshal max may meadow melody mercy merit
miles misty noble noel norm oak ocean olive opal pansy pat patience pearl penny phoenix pierce poppy precious prince princess promise queen rain
ray reed reef rich river rob robin rocky rose rosemary royal ruby rue rusty sage sandy scout serenity shade sky skip sonny star storm sue summer
sunny tab temperance trace trinity true tulip unity velvet verity victor victory violet wade will willow winter wren
austin bradford chad chelsea chester devon florence georgia india ireland israel jordan kent kenya lincoln london paris preston sydney wales
"""
EVERYDAY = frozenset(WORDS.split())
