//! First names whose English form is another word than the Russian one in Latin letters: who types *Michael* or *Helen*
//! may mean Михаил or Елена.
//!
//! The pairs are the cognates that dictionaries of first names give (P. Hanks, K. Hardcastle, F. Hodges, *A Dictionary of
//! First Names*, Oxford University Press). Forms that have the skeleton of the Russian name, or the beginning of it, need no
//! place here: *Julia*, *Victor*, *Alexey*, *Max*. Nor have names that are related and not used for each other, such as
//! *John* and Иван, and short forms that do not begin as the name does.

/// Russian names, folded, in order, with their English forms in lower case.
const NAMES: &[(&str, &[&str])] = &[
    ("авраам", &["abraham"]),
    ("александр", &["alexander"]),
    ("алексей", &["alexis"]),
    ("алиса", &["alice"]),
    ("анатолий", &["anatole"]),
    ("андрей", &["andrew", "andreas"]),
    ("анна", &["anne", "hannah"]),
    ("антон", &["anthony"]),
    ("арсений", &["arsenius"]),
    ("валерия", &["valerie"]),
    ("варвара", &["barbara"]),
    ("василий", &["basil"]),
    ("вениамин", &["benjamin"]),
    ("гавриил", &["gabriel"]),
    ("георгий", &["george"]),
    ("григорий", &["gregory"]),
    ("даниил", &["daniel"]),
    ("данила", &["daniel"]),
    ("дмитрий", &["dimitri", "demetrius"]),
    ("ева", &["eve"]),
    ("евгений", &["eugene"]),
    ("евгения", &["eugenia", "eugenie"]),
    ("екатерина", &["catherine", "catharina", "katerina"]),
    ("елена", &["helen", "helena"]),
    ("елизавета", &["elizabeth", "elisabeth"]),
    ("ефим", &["euthymius"]),
    ("жанна", &["jeanne", "joanna"]),
    ("захар", &["zachary"]),
    ("зоя", &["zoe"]),
    ("илья", &["elijah", "elias"]),
    ("иннокентий", &["innocent"]),
    ("иосиф", &["joseph"]),
    ("ирина", &["irene"]),
    ("кирилл", &["cyril"]),
    ("клавдия", &["claudia"]),
    ("кристина", &["christina", "christine"]),
    ("лаврентий", &["lawrence", "laurence"]),
    ("лев", &["leo"]),
    ("лука", &["luke", "lucas"]),
    ("маргарита", &["margaret"]),
    ("мария", &["marie"]),
    ("марфа", &["martha"]),
    ("матвей", &["matthew"]),
    ("михаил", &["michael"]),
    ("моисей", &["moses"]),
    ("наталия", &["natalie"]),
    ("наталья", &["natalie"]),
    ("николай", &["nicholas", "nicolas"]),
    ("павел", &["paul"]),
    ("петр", &["peter"]),
    ("полина", &["pauline", "paulina"]),
    ("самуил", &["samuel"]),
    ("семен", &["simon", "simeon"]),
    ("софия", &["sophie"]),
    ("софья", &["sophie"]),
    ("степан", &["stephen", "stefan"]),
    ("тимофей", &["timothy"]),
    ("ульяна", &["juliana"]),
    ("федор", &["theodore", "feodor"]),
    ("фома", &["thomas"]),
    ("эдуард", &["edward"]),
    ("элеонора", &["eleanor"]),
    ("юлий", &["julius"]),
    ("юлия", &["julie"]),
    ("яков", &["jacob"]),
];

/// The English forms of a folded Russian name.
pub(super) fn english(name: &str) -> &'static [&'static str] {
    let place = NAMES.binary_search_by(|(russian, _)| (*russian).cmp(name));
    place.ok().and_then(|place| NAMES.get(place)).map_or(&[], |(_, forms)| *forms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{fold, skeleton, translit};

    #[test]
    fn the_names_are_folded_and_in_order() {
        assert!(NAMES.is_sorted_by_key(|(russian, _)| *russian));
        assert!(NAMES.iter().all(|(russian, _)| fold(russian) == *russian));
        assert_eq!(english("михаил"), ["michael"]);
        assert!(english("иван").is_empty() && english("").is_empty());
    }

    #[test]
    fn no_form_is_here_that_its_skeleton_finds() {
        for (russian, forms) in NAMES {
            let latin = translit::to_latin(russian).unwrap();
            for form in *forms {
                let (name, form) = (skeleton::of(&latin), skeleton::of(form));
                assert!(!name.starts_with(&form), "{russian}: {form} is the beginning of {name}");
            }
        }
    }
}
