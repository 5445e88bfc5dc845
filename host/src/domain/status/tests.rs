//! The table of the life of a job, case by case and at random.
