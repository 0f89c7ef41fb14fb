# zkd in a container: one static binary, a plain user, data in /data. It takes the variables of ZooKeeper's official image
# (ZOO_MY_ID, ZOO_SERVERS, …), or a zoo.cfg mounted at /conf/zoo.cfg, which then counts.
FROM golang:1.26 AS build
ARG VERSION=dev
ARG DATE=
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X zkd/server.Version=${VERSION#v} -X zkd/server.BuildDate=${DATE}" -o /out/zkd ./cmd/zkd \
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
ENTRYPOINT ["/usr/local/bin/zkd"]
CMD ["server"]
