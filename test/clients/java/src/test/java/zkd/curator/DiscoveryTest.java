package zkd.curator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.x.discovery.ServiceCache;
import org.apache.curator.x.discovery.ServiceDiscovery;
import org.apache.curator.x.discovery.ServiceDiscoveryBuilder;
import org.apache.curator.x.discovery.ServiceInstance;
import org.apache.curator.x.discovery.ServiceProvider;
import org.junit.jupiter.api.Test;
import zkd.Await;
import zkd.Server;

/** Service discovery. */
class DiscoveryTest extends Client {
    private ServiceInstance<String> instance(int port) throws Exception {
        return ServiceInstance.<String>builder().name("web").address("127.0.0.1").port(port).payload("p" + port).build();
    }

    private ServiceDiscovery<String> discovery(CuratorFramework client, ServiceInstance<String> self) throws Exception {
        ServiceDiscoveryBuilder<String> b = ServiceDiscoveryBuilder.builder(String.class).client(client).basePath(root);
        if (self != null) {
            b.thisInstance(self);
        }
        ServiceDiscovery<String> d = b.build();
        d.start();
        return closing(d);
    }

    @Test
    void registerQueryUpdateUnregister() throws Exception {
        ServiceDiscovery<String> a = discovery(one, instance(1));
        ServiceDiscovery<String> b = discovery(two, null);
        ServiceInstance<String> second = instance(2);
        b.registerService(second);
        assertEquals(List.of("web"), List.copyOf(a.queryForNames()));
        Set<Integer> ports = new HashSet<>();
        a.queryForInstances("web").forEach(i -> ports.add(i.getPort()));
        assertEquals(Set.of(1, 2), ports);
        assertEquals("p2", a.queryForInstance("web", second.getId()).getPayload());
        b.unregisterService(second);
        assertEquals(1, a.queryForInstances("web").size());
    }

    @Test
    void serviceCacheAndProvider() throws Exception {
        ServiceDiscovery<String> a = discovery(one, null);
        ServiceDiscovery<String> b = discovery(two, null);
        ServiceCache<String> cache = closing(a.serviceCacheBuilder().name("web").build());
        cache.start();
        assertEquals(List.of(), cache.getInstances());
        ServiceInstance<String> first = instance(1);
        b.registerService(first);
        Await.until("the cache knows it", () -> cache.getInstances().size() == 1);
        ServiceProvider<String> provider = closing(a.serviceProviderBuilder().serviceName("web").build());
        provider.start();
        Await.until("the provider offers it", () -> provider.getInstance() != null);
        assertEquals(1, provider.getInstance().getPort());
        b.unregisterService(first);
        Await.until("it is gone", () -> cache.getInstances().isEmpty());
    }

    @Test
    void aServiceGoesWithItsSessionAndComesBackWithTheConnection() throws Exception {
        CuratorFramework brief = connect(proxy.address(), 1000);
        discovery(brief, instance(1));
        ServiceDiscovery<String> b = discovery(two, null);
        assertEquals(1, b.queryForInstances("web").size());
        proxy.cut();
        Await.until("it is gone", () -> b.queryForInstances("web").isEmpty());
        proxy.open();
        Await.until("it is back", () -> b.queryForInstances("web").size() == 1);
        assertNotNull(connect(Server.ADDRESS, 5000));
        assertTrue(b.queryForNames().contains("web"));
    }
}
