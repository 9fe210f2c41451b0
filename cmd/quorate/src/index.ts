/** What `import ... from "quorate"` gives: clusters inside of a program. */
export {
	Cluster,
	ClusterError,
	type ClusterNode,
	type ClusterOptions,
} from "@quorate/embedded/cluster";
