"""Words from which the demo makes people and places. Invented; any likeness to real customers is chance."""

from random import Random

_FIRST = """
Ana Marc Laia Pau Núria Jordi Marta Àlex Júlia Oriol Carla Arnau Clara Biel Emma Pol Lucía Hugo Sofía Mateo
Irene Adrián Paula Iván Elena Rubén Sara Óscar Alba Sergi Noa Gerard Aina Joel Berta Quim Ona Roger Mireia
Xavier Daria Oleg Irina Nikolai Fatima Youssef Amira Omar Ingrid Lars Greta Jan Eva Petr Chloé Louis Camille
Hans
"""
_LAST = """
García Martínez López Sánchez Pérez Gómez Ruiz Díaz Moreno Álvarez Romero Navarro Torres Vila Puig Serra
Ferrer Roca Bosch Soler Camps Pons Mas Riera Sala Font Costa Vidal Casas Pujol Prat Molina Ortega Delgado
Castro Ortiz Rubio Marín Sanz Iglesias Núñez Medina Garrido Cortés Lozano Guerrero Cano Prieto Méndez Cruz
Novák Müller Dupont Rossi Ivanova Haddad Larsen O'Brien
"""
FIRST = tuple(_FIRST.split())
LAST = tuple(_LAST.split())
STREETS = (
    "Carrer de la Vila",
    "Avinguda de Just Marlès",
    "Passeig de Mossèn Jacint Verdaguer",
    "Carrer del Mar",
    "Carrer de Santa Clara",
    "Avinguda d'Amèrica",
    "Carrer Josep Tarradellas",
    "Carrer Sant Pere",
    "Camí de la Cabana",
)
PLACES = (("17310", "Lloret de Mar"), ("17300", "Blanes"), ("17320", "Tossa de Mar"), ("17411", "Vidreres"))
COMPANIES = ("Hotel", "Restaurant", "Farmàcia", "Taller", "Gestoria", "Clínica", "Escola")


def person(random: Random) -> str:
    """A name with two family names, as they are written there."""
    return f"{random.choice(FIRST)} {random.choice(LAST)} {random.choice(LAST)}"


def company(random: Random) -> str:
    """A firm."""
    return f"{random.choice(COMPANIES)} {random.choice(LAST)}, S.L."


def address(random: Random) -> dict[str, str]:
    """Street, zip code and city, as customers.actions takes them."""
    zip_code, city = random.choice(PLACES)
    street = f"{random.choice(STREETS)}, {random.randint(1, 140)}"
    return {"street": street, "zip_code": zip_code, "city": city}
