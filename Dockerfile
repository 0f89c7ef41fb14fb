# zkd in a container: one static binary, a plain user, data in /data. It takes the variables of ZooKeeper's official image
# (ZOO_MY_ID, ZOO_SERVERS, …), or a zoo.cfg mounted at /conf/zoo.cfg, which then counts.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /out/zkd ./cmd/zkd \
 && install -d -m 0700 /out/data /out/datalog && install -d /out/conf

FROM scratch
COPY --from=build /out/zkd /usr/local/bin/zkd
COPY --from=build --chown=65532:65532 /out/conf /conf
COPY --from=build --chown=65532:65532 /out/data /data
# For who sets ZOO_DATA_LOG_DIR; the log is in /data otherwise, so that one volume holds all.
COPY --from=build --chown=65532:65532 /out/datalog /datalog
ENV ZOO_CONF_DIR=/conf ZOO_DATA_DIR=/data
USER 65532:65532
VOLUME /data
EXPOSE 2181 2888 3888
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/local/bin/zkd", "health"]
ENTRYPOINT ["/usr/local/bin/zkd"]
CMD ["server"]
