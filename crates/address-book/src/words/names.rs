//! First names whose English form is not the Russian name in Latin letters: a user who types *Michael* or *Helen* may
//! mean Михаил or Елена.
//!
//! The pairs are the cognates in dictionaries of first names (P. Hanks, K. Hardcastle, F. Hodges, *A Dictionary of
//! First Names*, Oxford University Press). The list omits forms with the skeleton of the Russian name, or a beginning
//! of it: *Julia*, *Victor*, *Alexey*, *Max*. It also omits related names that are not used for each other, such as
//! *John* and Иван, and short forms that do not begin like the name.

/// Russian names, folded and sorted, with their English forms in lower case.
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
