/* SPDX-License-Identifier: Apache-2.0 */
/* Names for containers that nobody named: a mood and somebody who made fire,
 * light, machines or numbers do something new. */
#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "store/container_internal.h"

static const char *const adjectives[] = {
	"able",	  "airy",     "amber",	 "ample",   "apt",	"ardent",
	"azure",  "blithe",   "bold",	 "brave",   "bright",	"brisk",
	"calm",	  "candid",   "cheery",	 "civil",   "clear",	"clever",
	"copper", "cosy",     "crisp",	 "curious", "daring",	"deft",
	"eager",  "early",    "earnest", "fair",    "fearless", "fleet",
	"fond",	  "frank",    "fresh",	 "gentle",  "glad",	"gleaming",
	"golden", "graceful", "hardy",	 "hearty",  "honest",	"humble",
	"jolly",  "keen",     "kind",	 "lively",  "loyal",	"lucid",
	"mellow", "merry",    "mild",	 "modest",  "neat",	"nimble",
	"noble",  "patient",  "placid",	 "plucky",  "polite",	"proud",
	"quick",  "quiet",    "radiant", "ready",   "rosy",	"sane",
	"serene", "sharp",    "silver",	 "sincere", "snug",	"sober",
	"spry",	  "steady",   "stoic",	 "sturdy",  "sunny",	"swift",
	"tidy",	  "tireless", "trusty",	 "upbeat",  "valiant",	"vivid",
	"warm",	  "wary",     "wise",	 "witty",   "zealous",	"zesty",
};

static const char *const surnames[] = {
	"abel",	      "agnesi",	   "alhazen",	 "ampere",	"anning",
	"archimedes", "aryabhata", "ayrton",	 "babbage",	"banneker",
	"bassi",      "bell",	   "bernoulli",	 "bhabha",	"bohr",
	"boole",      "born",	   "bose",	 "boyle",	"brahe",
	"bunsen",     "cannon",	   "cantor",	 "carnot",	"cavendish",
	"celsius",    "cerf",	   "chandra",	 "chatelet",	"cori",
	"coulomb",    "curie",	   "dalton",	 "darwin",	"davy",
	"descartes",  "diesel",	   "dijkstra",	 "dirac",	"doppler",
	"easley",     "edison",	   "einstein",	 "engelbart",	"euclid",
	"euler",      "faraday",   "fermat",	 "fermi",	"feynman",
	"fourier",    "franklin",  "galileo",	 "galois",	"gauss",
	"germain",    "goedel",	   "goeppert",	 "goldberg",	"hamilton",
	"hamming",    "heaviside", "helmholtz",	 "herschel",	"hertz",
	"hilbert",    "hodgkin",   "hooke",	 "hopper",	"huygens",
	"hypatia",    "jacobi",	   "johnson",	 "joule",	"kelvin",
	"kepler",     "kernighan", "khwarizmi",	 "kirchhoff",	"knuth",
	"lagrange",   "lamarr",	   "laplace",	 "lavoisier",	"leavitt",
	"leibniz",    "liskov",	   "lorentz",	 "lovelace",	"marconi",
	"maxwell",    "mccarthy",  "meitner",	 "mendel",	"mendeleev",
	"mirzakhani", "napier",	   "newton",	 "nightingale", "nobel",
	"noether",    "noyce",	   "oersted",	 "ohm",		"papin",
	"pascal",     "pasteur",   "payne",	 "perlman",	"planck",
	"ptolemy",    "raman",	   "ramanujan",	 "ride",	"riemann",
	"ritchie",    "roentgen",  "rubin",	 "rutherford",	"sagan",
	"shannon",    "siemens",   "somerville", "stevens",	"sutherland",
	"swan",	      "tesla",	   "thompson",	 "torricelli",	"turing",
	"volta",      "watt",	   "weber",	 "wiles",	"wozniak",
	"wu",	      "yonath",	   "young",	 "zeppelin",	"zuse",
};

char *fb_container_random_name(unsigned int attempt)
{
	uint16_t random[3];
	const char *adjective, *surname;
	char *name = NULL;
	int r;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return NULL;
	adjective = adjectives[random[0] % FB_ARRAY_SIZE(adjectives)];
	surname = surnames[random[1] % FB_ARRAY_SIZE(surnames)];
	if (attempt < 10)
		r = asprintf(&name, "%s_%s", adjective, surname);
	else
		r = asprintf(&name, "%s_%s%u", adjective, surname,
			     random[2] % (attempt < 40 ? 10u : 10000u));
	return r < 0 ? NULL : name;
}
