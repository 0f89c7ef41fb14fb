// Package zoocfg runs the zoo.cfg files of real installations: what zkd check-config says of each, whether its servers
// start and serve, and that both say the same. verdicts.md is the table. testdata has a folder for each installation:
// zooN.cfg is the file of server N, dynamicN what its dynamicConfigFile names, and meta.json says where they are from,
// what is in myid and in the environment. @DIR@ stands for a folder of the run.
package zoocfg
