"""Languages: the two- and three-letter codes that files carry, as RFC 5646 tags, and what each calls itself.

RFC 5646, 2.2.1 wants the shortest code of ISO 639: ``eng`` is ``en``. Containers write ISO 639-2, in either of its
forms (``ger`` and ``deu``). The names are those of the Unicode CLDR. A table of our own: the libraries that know this
weigh megabytes.
"""

from __future__ import annotations

import re

UNKNOWN = "und"
"""The code for a language that nobody has said (RFC 5646, 4.1)."""
NO_LANGUAGE = frozenset({"", UNKNOWN, "mis", "mul", "zxx", "unk"})
"""Codes that name no one language."""
LONGEST = 35
"""Characters that a tag needs to be able to have (RFC 5646, 4.4.1)."""

_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")

_TABLE = """
    aa aar Qafar; ab abk Аԥсшәа; ae ave Avesta; af afr Afrikaans; ak aka Akan; am amh አማርኛ;
    an arg Aragonés; ar ara العربية; as asm অসমীয়া; av ava Авар; ay aym Aymar aru; az aze Azərbaycan;
    ba bak Башҡорт теле; be bel Беларуская; bg bul Български; bi bis Bislama; bm bam Bamanakan;
    bn ben বাংলা; bo bod tib བོད་སྐད་; br bre Brezhoneg; bs bos Bosanski; ca cat Català; ce che Нохчийн;
    ch cha Chamoru; co cos Corsu; cr cre ᓀᐦᐃᔭᐍᐏᐣ; cs ces cze Čeština; cu chu Церковнослове́нскїй;
    cv chv Чӑваш; cy cym wel Cymraeg; da dan Dansk; de deu ger Deutsch; dv div ދިވެހިބަސް; dz dzo རྫོང་ཁ;
    ee ewe Eʋegbe; el ell gre Ελληνικά; en eng English; eo epo Esperanto; es spa Español; et est Eesti;
    eu eus baq Euskara; fa fas per فارسی; ff ful Pulaar; fi fin Suomi; fj fij Na Vosa Vakaviti;
    fo fao Føroyskt; fr fra fre Français; fy fry Frysk; ga gle Gaeilge; gd gla Gàidhlig; gl glg Galego;
    gn grn Avañe’ẽ; gu guj ગુજરાતી; gv glv Gaelg; ha hau Hausa; he heb iw עברית; hi hin हिन्दी;
    ho hmo Hiri Motu; hr hrv Hrvatski; ht hat Kreyòl Ayisyen; hu hun Magyar; hy hye arm Հայերեն;
    hz her Otjiherero; ia ina Interlingua; id ind in Indonesia; ie ile Interlingue; ig ibo Igbo; ii iii ꆈꌠꉙ;
    ik ipk Iñupiaq; io ido Ido; is isl ice Íslenska; it ita Italiano; iu iku ᐃᓄᒃᑎᑐᑦ; ja jpn 日本語;
    jv jav Jawa; ka kat geo ქართული; kg kon Kikongo; ki kik Gikuyu; kj kua Kuanyama; kk kaz Қазақ тілі;
    kl kal Kalaallisut; km khm ខ្មែរ; kn kan ಕನ್ನಡ; ko kor 한국어; kr kau Kanuri; ks kas کٲشُر;
    ku kur Kurdî (kurmancî); kv kom Коми; kw cor Kernewek; ky kir Кыргызча; la lat Latina;
    lb ltz Lëtzebuergesch; lg lug Luganda; li lim Limburgs; ln lin Lingála; lo lao ລາວ; lt lit Lietuvių;
    lu lub Tshiluba; lv lav Latviešu; mg mlg Malagasy; mh mah Kajin Majel; mi mri mao Māori;
    mk mkd mac Македонски; ml mal മലയാളം; mn mon Монгол; mr mar मराठी; ms msa may Melayu; mt mlt Malti;
    my mya bur မြန်မာ; na nau Dorerin Naoero; nb nob Norsk bokmål; nd nde IsiNdebele; ne nep नेपाली;
    ng ndo Oshindonga; nl nld dut Nederlands; nn nno Norsk nynorsk; no nor Norsk; nr nbl IsiNdebele;
    nv nav Diné Bizaad; ny nya Nyanja; oc oci Occitan; oj oji ᐊᓂᔑᓈᐯᒧᐎᓐ; om orm Oromoo; or ori ଓଡ଼ିଆ;
    os oss Ирон; pa pan ਪੰਜਾਬੀ; pi pli Pāli; pl pol Polski; ps pus پښتو; pt por Português; qu que Runasimi;
    rm roh Rumantsch; rn run Ikirundi; ro ron rum Română; ru rus Русский; rw kin Ikinyarwanda;
    sa san संस्कृत भाषा; sc srd Sardu; sd snd سنڌي; se sme Davvisámegiella; sg sag Sängö;
    sh hbs Srpskohrvatski; si sin සිංහල; sk slk slo Slovenčina; sl slv Slovenščina; sm smo Gagana Samoa;
    sn sna ChiShona; so som Soomaali; sq sqi alb Shqip; sr srp Српски; ss ssw SiSwati; st sot Sesotho;
    su sun Basa Sunda; sv swe Svenska; sw swa Kiswahili; ta tam தமிழ்; te tel తెలుగు; tg tgk Тоҷикӣ;
    th tha ไทย; ti tir ትግርኛ; tk tuk Türkmen dili; tl tgl Tagalog; tn tsn Setswana; to ton Lea fakatonga;
    tr tur Türkçe; ts tso Xitsonga; tt tat Татар; tw twi Twi; ty tah Reo Tahiti; ug uig ئۇيغۇرچە;
    uk ukr Українська; ur urd اردو; uz uzb O‘zbek; ve ven Tshivenḓa; vi vie Tiếng Việt; vo vol Volapük;
    wa wln Walon; wo wol Wolof; xh xho IsiXhosa; yi yid ji ייִדיש; yo yor Èdè Yorùbá; za zha Vahcuengh;
    zh zho chi 中文; zu zul IsiZulu;
"""

_SHORT: dict[str, str] = {}
_LONG: dict[str, str] = {}
_NAMES: dict[str, str] = {}
for _entry in _TABLE.replace("\n", " ").split(";"):
    if _words := _entry.split():
        _codes = [word for word in _words[:3] if word.isascii() and word.islower() and len(word) <= 3]
        _SHORT.update(dict.fromkeys(_codes, _codes[0]))
        _LONG[_codes[0]] = _codes[1]
        _NAMES[_codes[0]] = " ".join(_words[len(_codes) :])


def tag(code: str | None) -> str | None:
    """Return a language code or tag as RFC 5646 writes it (``en``, ``pt-BR``, ``zh-Hant``); None if it is none."""
    text = (code or "").strip().replace("_", "-")
    if len(text) > LONGEST or not _TAG.fullmatch(text):
        return None
    first, *rest = text.split("-")
    if first.lower() in NO_LANGUAGE:
        return None
    cased = [part.title() if len(part) == 4 else part.upper() if len(part) == 2 else part.lower() for part in rest]
    return "-".join([_SHORT.get(first.lower(), first.lower()), *cased])


def name(language: str) -> str:
    """Return what a language calls itself, with what the tag adds: ``Deutsch``, ``Português (BR)``; else the tag."""
    first, _, rest = language.partition("-")
    known = _NAMES.get(first)
    if known is None:
        return language
    return f"{known} ({rest})" if rest else known


def three_letters(language: str | None) -> str:
    """Return the code of ISO 639-2/T for a tag, as MP4 files carry it; ``und`` where there is none."""
    first = (language or UNKNOWN).partition("-")[0]
    code = _LONG.get(first, first)
    return code if len(code) == 3 and code.isascii() and code.islower() and code.isalpha() else UNKNOWN


def known() -> tuple[tuple[str, str], ...]:
    """Return every language of the table as its tag and name, in the order of the tags."""
    return tuple(_NAMES.items())
