"""Where the pages of reminding and blocking hang."""

from django.urls import path

from demarc.billing import web_dunning, web_waves

urlpatterns = [
    path("settings/<int:partner_id>/dunning/", web_dunning.dunning_terms, name="dunning_terms"),
    path("waves/simulator/<int:partner_id>/", web_dunning.simulator, name="simulator"),
    path("settings/<int:partner_id>/blocking-switch/", web_waves.blocking_switch, name="blocking_switch"),
    path("settings/<int:partner_id>/outage/", web_waves.note_outage, name="note_outage"),
    path("outages/<int:outage_id>/end/", web_waves.end_outage, name="end_outage"),
    path("accounts/<int:account_id>/dunning/", web_dunning.account_dunning, name="account_dunning"),
    path("accounts/<int:account_id>/promise/", web_dunning.promise, name="promise"),
    path("accounts/<int:account_id>/promise/end/", web_dunning.end_promise, name="end_promise"),
    path("documents/<int:document_id>/dispute/", web_dunning.dispute, name="dispute"),
    path("waves/", web_waves.waves, name="waves"),
    path("waves/<int:wave_id>/", web_waves.wave, name="wave"),
    path("waves/<int:wave_id>/confirm/", web_waves.confirm_wave, name="confirm_wave"),
    path("waves/<int:wave_id>/restore/", web_waves.restore_wave, name="restore_wave"),
]
