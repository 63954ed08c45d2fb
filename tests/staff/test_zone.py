"""Times are shown as the viewer's clock has them: by his own zone, else by that of the partner he works for."""

import pytest
from tests import cast
from tests.staff.world import World, logged_in, person, world

from demarc.base.models import Partner
from demarc.staff.models import Login


@pytest.fixture
def place() -> World:
    made = world()
    Partner.objects.filter(pk=made.partner.pk).update(zone="Asia/Tokyo")
    return made


def since(place: World, viewer: Login) -> str:
    """The page that says since when public addresses are shared, with the name of the zone."""
    return logged_in(viewer).get(f"/nat/{place.nat_range.pk}/end/").content.decode()


@pytest.mark.django_db
def test_who_has_chosen_no_zone_sees_his_partner_s(place):
    viewer = person("Super administrator")
    assert " JST." in since(place, viewer)
    assert "Asia/Tokyo" in logged_in(viewer).get("/me/").content.decode()


@pytest.mark.django_db
def test_a_zone_of_one_s_own_goes_before_it(place):
    viewer = person("Super administrator")
    for own, shown in (("Europe/Prague", " CE"), ("UTC", " UTC.")):
        Login.objects.filter(pk=viewer.pk).update(zone=own)
        assert shown in since(place, viewer)


@pytest.mark.django_db
def test_of_several_partners_it_is_the_first_that_he_works_for(place):
    other = cast.partner("Elsewhere", zone="America/Sao_Paulo")
    viewer = person("Super administrator")
    assert " JST." in since(place, viewer)
    viewer.partners.set([other])
    assert "America/Sao_Paulo" in logged_in(viewer).get("/me/").content.decode()
