"""The FAPI plans of the conformance suite, module by module, against deploy/conformance."""
