"""What customers are told of amounts and blocks: everything, in each language that is known."""

import string

from demarc.billing.customer_sentences import DEBTS, SENTENCES
from demarc.billing.dunning_words import STAFF
from demarc.core.dunning import Cause

OURS = {Cause.BELOW_LIMIT, Cause.WITHIN_LIMIT, Cause.SMALL, Cause.SWITCHED_OFF}


def places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_every_fact_but_our_own_matters_has_its_sentence_in_every_language():
    assert DEBTS.keys() == SENTENCES.keys()
    assert set(STAFF) == set(Cause)
    for language in DEBTS:
        assert set(DEBTS[language]) == set(Cause) - OURS
        assert set(SENTENCES[language]) == set(SENTENCES["en"])


def test_a_translation_names_what_the_english_sentence_names():
    for known in (DEBTS, SENTENCES):
        for sentences in known.values():
            for key, sentence in sentences.items():
                assert places(sentence) == places(known["en"][key]), sentence
