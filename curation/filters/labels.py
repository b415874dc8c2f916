"""Names of languages: the labels of identifiers, and the names of settings for a language (ISO 639-3 and script)."""

_CODES = (
    "ab=abk_Cyrl af=afr_Latn als=gsw_Latn am=amh_Ethi an=arg_Latn ar=arb_Arab arz=arz_Arab as=asm_Beng ast=ast_Latn "
    "av=ava_Cyrl ay=ayr_Latn az=azj_Latn azb=azb_Arab ba=bak_Cyrl bar=bar_Latn bcl=bcl_Latn be=bel_Cyrl bg=bul_Cyrl "
    "bh=bho_Deva bi=bis_Latn bm=bam_Latn bn=ben_Beng bo=bod_Tibt bpy=bpy_Beng br=bre_Latn bs=bos_Latn bxr=bxr_Cyrl "
    "ca=cat_Latn cbk=cbk_Latn ce=che_Cyrl ceb=ceb_Latn ch=cha_Latn ckb=ckb_Arab co=cos_Latn cr=crk_Cans crs=crs_Latn "
    "cs=ces_Latn cv=chv_Cyrl cy=cym_Latn da=dan_Latn de=deu_Latn diq=diq_Latn dsb=dsb_Latn dty=dty_Deva dv=div_Thaa "
    "dz=dzo_Tibt ee=ewe_Latn el=ell_Grek en=eng_Latn eml=eml_Latn eo=epo_Latn es=spa_Latn et=ekk_Latn eu=eus_Latn "
    "fa=fas_Arab ff=fuv_Latn fi=fin_Latn fj=fij_Latn fo=fao_Latn fr=fra_Latn frr=frr_Latn fy=fry_Latn ga=gle_Latn "
    "gd=gla_Latn gl=glg_Latn gn=gug_Latn gom=gom_Deva gu=guj_Gujr gv=glv_Latn ha=hau_Latn haw=haw_Latn he=heb_Hebr "
    "hi=hin_Deva "
    "hif=hif_Latn hmn=hnj_Latn ho=hmo_Latn hr=hrv_Latn hsb=hsb_Latn ht=hat_Latn hu=hun_Latn hy=hye_Armn ia=ina_Latn "
    "id=ind_Latn ie=ile_Latn ig=ibo_Latn ik=esi_Latn ilo=ilo_Latn in=ind_Latn io=ido_Latn is=isl_Latn it=ita_Latn "
    "iu=ike_Cans iw=heb_Hebr ja=jpn_Jpan jbo=jbo_Latn ji=ydd_Hebr jv=jav_Latn jw=jav_Latn ka=kat_Geor kha=kha_Latn "
    "ki=kik_Latn kj=kua_Latn kk=kaz_Cyrl kl=kal_Latn km=khm_Khmr kn=kan_Knda ko=kor_Hang krc=krc_Cyrl ku=kmr_Latn "
    "kv=kpv_Cyrl kw=cor_Latn ky=kir_Cyrl la=lat_Latn lb=ltz_Latn lez=lez_Cyrl lg=lug_Latn li=lim_Latn lmo=lmo_Latn "
    "ln=lin_Latn lo=lao_Laoo lrc=lrc_Arab lt=lit_Latn lu=lub_Latn lv=lvs_Latn mai=mai_Deva mfe=mfe_Latn mg=plt_Latn "
    "mh=mah_Latn mhr=mhr_Cyrl mi=mri_Latn min=min_Latn mk=mkd_Cyrl ml=mal_Mlym mn=khk_Cyrl mr=mar_Deva mrj=mrj_Cyrl "
    "ms=zsm_Latn mt=mlt_Latn mwl=mwl_Latn my=mya_Mymr myv=myv_Cyrl mzn=mzn_Arab nah=nah_Latn nap=nap_Latn nb=nob_Latn "
    "nd=nde_Latn nds=nds_Latn ne=npi_Deva new=new_Deva nl=nld_Latn nn=nno_Latn no=nob_Latn nr=nbl_Latn nso=nso_Latn "
    "nv=nav_Latn ny=nya_Latn oc=oci_Latn oj=ojb_Latn om=gaz_Latn or=ory_Orya os=oss_Cyrl pa=pan_Guru pam=pam_Latn "
    "pfl=pfl_Latn pl=pol_Latn pms=pms_Latn pnb=pnb_Arab ps=pbt_Arab pt=por_Latn qu=quz_Latn rm=roh_Latn rn=run_Latn "
    "ro=ron_Latn ru=rus_Cyrl rue=rue_Cyrl rup=rup_Latn rw=kin_Latn sa=san_Deva sah=sah_Cyrl sc=srd_Latn scn=scn_Latn "
    "sco=sco_Latn sd=snd_Arab se=sme_Latn sg=sag_Latn si=sin_Sinh sk=slk_Latn sl=slv_Latn sm=smo_Latn sn=sna_Latn "
    "so=som_Latn sq=als_Latn sr=srp_Cyrl ss=ssw_Latn st=sot_Latn su=sun_Latn sv=swe_Latn sw=swh_Latn ta=tam_Taml "
    "te=tel_Telu tg=tgk_Cyrl th=tha_Thai ti=tir_Ethi tk=tuk_Latn tl=fil_Latn tn=tsn_Latn to=ton_Latn tr=tur_Latn "
    "ts=tso_Latn tt=tat_Cyrl tw=twi_Latn ty=tah_Latn tyv=tyv_Cyrl ug=uig_Arab uk=ukr_Cyrl ur=urd_Arab uz=uzn_Latn "
    "ve=ven_Latn vec=vec_Latn vep=vep_Latn vi=vie_Latn vls=vls_Latn vo=vol_Latn wa=wln_Latn war=war_Latn wo=wol_Latn "
    "wuu=wuu_Hani xal=xal_Cyrl xh=xho_Latn xmf=xmf_Geor yi=ydd_Hebr yo=yor_Latn yue=yue_Hani za=zyb_Latn zh=cmn_Hani "
    "zh-Hans=cmn_Hani zh-Hant=cmn_Hani zu=zul_Latn "
)
"""Labels that are codes, with the language and script that they mean.

Two letters are ISO 639-1, and three are ISO 639-3, but Wikipedia's ``als`` is Alemannic (gsw), ``bh`` Bhojpuri, ``eml``
Emilian-Romagnol and ``nah`` Nahuatl; ``iw``, ``jw``, ``in`` and ``ji`` are older codes. A code of several languages
means its most written one: ``ar`` Standard Arabic, ``zh`` Mandarin, ``ku`` Northern Kurdish, ``mg`` Plateau Malagasy.
"""
_OTHER_NAMES = (
    "est_Latn=ekk_Latn pes_Arab=fas_Arab tgl_Latn=fil_Latn lav_Latn=lvs_Latn zho_Hans=cmn_Hani zho_Hant=cmn_Hani "
    "cmn_Hans=cmn_Hani cmn_Hant=cmn_Hani yue_Hant=yue_Hani aze_Latn=azj_Latn swa_Latn=swh_Latn nor_Latn=nob_Latn "
    "msa_Latn=zsm_Latn mon_Cyrl=khk_Cyrl nep_Deva=npi_Deva ori_Orya=ory_Orya uzb_Latn=uzn_Latn yid_Hebr=ydd_Hebr "
    "sqi_Latn=als_Latn mlg_Latn=plt_Latn pus_Arab=pbt_Arab"
)
"""Names with a script that other identifiers (OpenLID, NLLB) give to languages which GlotLID names otherwise."""
NAMES: dict[str, str] = dict(entry.split("=") for entry in (_CODES + _OTHER_NAMES).split())


def full_name(label: str) -> str:
    """The full name (language and script) of a label, as FineWeb2 and GlotLID write it; the label itself if unknown.

    >>> full_name("de"), full_name("als"), full_name("als_Latn"), full_name("zho_Hans")
    ('deu_Latn', 'gsw_Latn', 'als_Latn', 'cmn_Hani')
    """
    return NAMES.get(label, label)


def belongs(name: str, label: str) -> bool:
    """Whether settings of this name are for texts with this label: in the label's language and, if the label names a
    script, in its script.

    >>> belongs("srp_Latn", "sr"), belongs("srp_Latn", "srp_Cyrl"), belongs("sr", "sr"), belongs("hrv_Latn", "sr")
    (True, False, True, False)
    """
    if name == label or full_name(name) == full_name(label):
        return True
    return "_" not in label and full_name(label).partition("_")[0] == name.partition("_")[0]


def script_of(name: str) -> str | None:
    """The script in a name of settings, by ISO 15924; None if it names no script."""
    return full_name(name).partition("_")[2] or None
