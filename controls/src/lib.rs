//! Catalogues, rules, their evaluation and the status of controls. Pure.
