package zkd;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.zookeeper.common.PathUtils;
import org.junit.jupiter.api.Test;

/** Needs no server: install.sh runs it so that Maven fetches all that running a test takes. */
class InstallTest {
    @Test
    void theOwnTestsAreThere() throws Exception {
        PathUtils.validatePath("/");
        assertTrue(Class.forName("org.apache.zookeeper.test.ClientTest").getName().endsWith("ClientTest"));
    }
}
